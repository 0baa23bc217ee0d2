#include "tools/inspect/patterns.h"

#include <fmt/format.h>

#include "zpost/protocol/names.h"

namespace zpost::inspect {

std::string check_name_pattern(const std::string& text) {
  if (is_name_pattern(text)) return "";
  return fmt::format("\"{}\" is neither a name nor the beginning of one followed by *", text);
}

std::string check_target_pattern(const std::string& text) {
  const bool is_service = text.starts_with(kServiceMark) && is_name_pattern(text.substr(1));
  if (is_service || is_name_pattern(text) || is_topic_pattern(text)) return "";
  return fmt::format(
      "\"{}\" is neither a name, nor the beginning of one followed by *, nor a pattern of topics, "
      "nor a service such as @translate",
      text);
}

std::string both(const std::string& filter, const std::string& test) {
  return filter.empty() ? test : fmt::format("({}) and {}", filter, test);
}

bool matches_target(std::string_view pattern, std::string_view target) {
  const bool is_service = target.starts_with(kServiceMark);
  if (is_service) target.remove_prefix(1);
  if (pattern.starts_with(kServiceMark)) {
    return is_service && matches_name_pattern(pattern.substr(1), target);
  }
  return matches_name_pattern(pattern, target) ||
         (is_topic_pattern(pattern) && is_topic(target) && matches_topic_pattern(pattern, target));
}

TargetQuestion target_question(const std::string& pattern, const std::string& filter) {
  if (!pattern.starts_with(kServiceMark)) return {pattern, filter};
  return {pattern.substr(1), both(filter, fmt::format("service = \"{}\"", pattern))};
}

}  // namespace zpost::inspect
