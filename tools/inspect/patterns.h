// What users may give as --from and --to. Pure.
#pragma once

#include <string>
#include <string_view>

namespace zpost::inspect {

/// Checks for CLI11: empty, or what is wrong.
[[nodiscard]] std::string check_name_pattern(const std::string& text);
/// The same for what may be a topic, or a service with its @, as well.
[[nodiscard]] std::string check_target_pattern(const std::string& text);

/// Whether what an envelope is for is wanted: a name, a topic, or a service with its @. A pattern
/// with an @ wants services only.
[[nodiscard]] bool matches_target(std::string_view pattern, std::string_view target);

/// The filter for what both want. `filter` may be empty.
[[nodiscard]] std::string both(const std::string& filter, const std::string& test);

/// A pattern of targets as the broker is asked for it, which takes services without their @.
struct TargetQuestion {
  std::string to;
  std::string filter;  // Empty: none.
};

/// `filter`: what is wanted beside.
[[nodiscard]] TargetQuestion target_question(const std::string& pattern, const std::string& filter);

}  // namespace zpost::inspect
