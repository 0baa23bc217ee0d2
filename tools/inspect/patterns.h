// What users may give as --from and --to. Pure.
#pragma once

#include <string>
#include <string_view>

namespace zpost::inspect {

/// Checks for CLI11: empty, or what is wrong.
[[nodiscard]] std::string check_name_pattern(const std::string& text);
/// The same for what may be a topic as well.
[[nodiscard]] std::string check_target_pattern(const std::string& text);

/// Whether what an envelope is for is wanted: a name, a topic, or a service with its @.
[[nodiscard]] bool matches_target(std::string_view pattern, std::string_view target);

}  // namespace zpost::inspect
