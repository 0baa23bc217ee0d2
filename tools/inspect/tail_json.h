// Lines of `tail` for programs. Pure.
#pragma once

#include <string>

#include "tools/inspect/tail_line.h"

namespace zpost::inspect {

/// One object with a line feed.
[[nodiscard]] std::string tail_json(const TailLine& line);

}  // namespace zpost::inspect
