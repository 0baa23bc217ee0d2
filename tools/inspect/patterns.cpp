#include "tools/inspect/patterns.h"

#include <fmt/format.h>

#include "zpost/protocol/names.h"

namespace zpost::inspect {

std::string check_name_pattern(const std::string& text) {
  if (is_name_pattern(text)) return "";
  return fmt::format("\"{}\" is neither a name nor the beginning of one followed by *", text);
}

std::string check_target_pattern(const std::string& text) {
  if (is_name_pattern(text) || is_topic_pattern(text)) return "";
  if (text.starts_with(kServiceMark) && is_name_pattern(text.substr(1))) {
    return fmt::format("a service is named here without the {}: {}", kServiceMark, text.substr(1));
  }
  return fmt::format(
      "\"{}\" is neither a name, nor the beginning of one followed by *, nor a pattern of topics",
      text);
}

bool matches_target(std::string_view pattern, std::string_view target) {
  if (target.starts_with(kServiceMark)) target.remove_prefix(1);
  return matches_name_pattern(pattern, target) ||
         (is_topic_pattern(pattern) && is_topic(target) && matches_topic_pattern(pattern, target));
}

}  // namespace zpost::inspect
