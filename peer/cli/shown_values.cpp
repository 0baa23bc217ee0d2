#include "peer/cli/shown_values.h"

#include <functional>

namespace zpost::cli {

bool ShownValues::is_new(std::string_view topic, Bytes envelope) {
  const std::size_t hash = std::hash<std::string_view>{}(as_text(envelope));
  if (shown_.size() >= kMost) shown_.clear();
  const auto [entry, is_first] = shown_.try_emplace(std::string(topic), hash);
  if (is_first) return true;
  if (entry->second == hash) return false;
  entry->second = hash;
  return true;
}

}  // namespace zpost::cli
