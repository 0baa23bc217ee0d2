#include "zpost/protocol/names.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace zpost {
namespace {

bool is_alphanumeric(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_name_char(char c) {
  return is_alphanumeric(c) || c == '.' || c == '_' || c == '-';
}

/// The length of the well-formed sequence of several bytes at the start of `text`; 0 if there is
/// none. RFC 3629, section 4.
std::size_t utf8_sequence(std::string_view text) {
  const auto byte_at = [text](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const auto in = [&](std::size_t i, std::uint8_t low, std::uint8_t high) {
    return i < text.size() && byte_at(i) >= low && byte_at(i) <= high;
  };
  const std::uint8_t lead = byte_at(0);
  if (lead >= 0xc2 && lead <= 0xdf) return in(1, 0x80, 0xbf) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const std::uint8_t low = lead == 0xe0 ? 0xa0 : 0x80;   // No overlong forms.
    const std::uint8_t high = lead == 0xed ? 0x9f : 0xbf;  // No surrogates.
    return in(1, low, high) && in(2, 0x80, 0xbf) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const std::uint8_t low = lead == 0xf0 ? 0x90 : 0x80;
    const std::uint8_t high = lead == 0xf4 ? 0x8f : 0xbf;  // Up to U+10FFFF.
    return in(1, low, high) && in(2, 0x80, 0xbf) && in(3, 0x80, 0xbf) ? 4 : 0;
  }
  return 0;
}

}  // namespace

bool is_name(std::string_view text) {
  if (text.empty() || text.size() > kMaxNameBytes) return false;
  return is_alphanumeric(text.front()) && std::all_of(text.begin(), text.end(), is_name_char);
}

bool is_name_pattern(std::string_view text) {
  if (!text.ends_with('*')) return is_name(text);
  text.remove_suffix(1);
  return text.empty() || is_name(text);
}

bool matches_name_pattern(std::string_view pattern, std::string_view name) {
  if (!pattern.ends_with('*')) return name == pattern;
  pattern.remove_suffix(1);
  return name.starts_with(pattern);
}

bool is_hex(std::string_view text, std::size_t digits) {
  return text.size() == digits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::optional<std::string_view> name_of_identity(std::string_view identity) {
  // A name holds no "~", so the token's length alone says where it stands.
  if (identity.size() < 1 + 1 + kTokenHexDigits) return std::nullopt;
  const std::size_t tilde = identity.size() - kTokenHexDigits - 1;
  const std::string_view name = identity.substr(0, tilde);
  if (identity[tilde] != '~' || !is_name(name)) return std::nullopt;
  if (!is_hex(identity.substr(tilde + 1), kTokenHexDigits)) return std::nullopt;
  return name;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    std::uint64_t eight = 0;
    if (text.size() >= sizeof eight) {
      std::memcpy(&eight, text.data(), sizeof eight);
      if ((eight & 0x8080808080808080) == 0) {
        text.remove_prefix(sizeof eight);
        continue;
      }
    }
    const bool ascii = static_cast<std::uint8_t>(text.front()) < 0x80;
    const std::size_t length = ascii ? 1 : utf8_sequence(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace zpost
