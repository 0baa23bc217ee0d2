// What there is to say of a look back.
#pragma once

#include <string>

#include "tools/inspect/look_back.h"

namespace zpost::inspect {

/// `it is empty, or …` or `it reaches back 3 min 5 s, to 12:31:04.123456, and missed 4 records`.
[[nodiscard]] std::string recorder_reach(const RecallEnd& end, std::uint64_t now_ns);

}  // namespace zpost::inspect
