#include "broker/app/log_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "zpost/protocol/names.h"

namespace zpost::app {

namespace {

constexpr std::string_view kEllipsis = "\u2026";

bool is_plain(char c) {
  return c >= 0x20 && c < 0x7f;
}

/// Bytes of the character at the front; 0 if there is no well-formed one of several bytes.
std::size_t long_character(std::string_view text) {
  for (std::size_t length = 2; length <= std::min<std::size_t>(4, text.size()); ++length) {
    if (!is_plain(text[0]) && text[0] < 0 && is_utf8(text.substr(0, length))) return length;
  }
  return 0;
}

/// Control characters of two bytes, ends of lines, and marks that change the direction.
bool is_hidden(std::string_view character) {
  if (character[0] == '\xc2') return static_cast<std::uint8_t>(character[1]) < 0xa0;
  if (character == "\u061c" || character == "\ufeff") return true;
  if (character.size() != 3 || character[0] != '\xe2') return false;
  return (character >= "\u200b" && character <= "\u200f") ||
         (character >= "\u2028" && character <= "\u202e") ||
         (character >= "\u2060" && character <= "\u206f");
}

}  // namespace

std::string log_text(std::string_view text) {
  if (text.size() <= kMaxLogLineBytes && std::all_of(text.begin(), text.end(), is_plain)) {
    return std::string(text);
  }
  std::string out;
  while (!text.empty()) {
    const std::size_t length = std::max<std::size_t>(1, long_character(text));
    const std::string_view character = text.substr(0, length);
    std::string shown(character);
    if (length == 1 ? !is_plain(character[0]) : is_hidden(character)) {
      shown.clear();
      for (const char c : character)
        shown += fmt::format("\\x{:02x}", static_cast<std::uint8_t>(c));
    }
    if (out.size() + shown.size() > kMaxLogLineBytes - kEllipsis.size())
      return out.append(kEllipsis);
    out += shown;
    text.remove_prefix(length);
  }
  return out;
}

}  // namespace zpost::app
