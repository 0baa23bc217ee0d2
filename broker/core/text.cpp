#include "broker/core/text.h"

#include <fmt/format.h>

#include <algorithm>

#include "zpost/protocol/names.h"

namespace zpost::core {

std::string shown(std::string_view text) {
  constexpr std::size_t kMost = kMaxNameBytes;
  std::string result(text.substr(0, kMost));
  std::replace_if(
      result.begin(), result.end(), [](char c) { return c < ' ' || c > '~' || c == '"'; }, '?');
  if (text.size() > kMost) result += fmt::format("... ({} bytes)", text.size());
  return result;
}

std::string quoted(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

}  // namespace zpost::core
