// Filters as users give them. docs/filter.md.
#pragma once

#include <optional>
#include <string>

#include "protocol/filter/filter.h"

namespace zpost::inspect {

/// The filter that `text` says, none if it is empty. False: it is wrong, which was said on standard
/// error with the place and what filters consist of.
[[nodiscard]] bool compile_filter(const std::string& text, std::optional<filter::Filter>& filter);

}  // namespace zpost::inspect
