#include "zpost/protocol/names.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "zpost/protocol/limits.h"

namespace zpost {
namespace {

bool is_alphanumeric(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_name_char(char c) {
  return is_alphanumeric(c) || c == '.' || c == '_' || c == '-';
}

/// A row of RFC 3629, section 4: what may follow a lead byte. The limits of the second byte leave
/// no room for overlong forms, surrogates and what is beyond U+10FFFF.
struct Utf8Row {
  std::uint8_t first_lead;
  std::uint8_t last_lead;
  std::uint8_t second_low;
  std::uint8_t second_high;
  std::size_t length;
};

constexpr Utf8Row kUtf8Rows[] = {
    {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
    {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
    {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

/// The length of the well-formed sequence of several bytes at the start of `text`; 0: there is
/// none.
std::size_t utf8_sequence(std::string_view text) {
  const auto in = [text](std::size_t i, std::uint8_t low, std::uint8_t high) {
    const auto byte = static_cast<std::uint8_t>(text[i]);
    return byte >= low && byte <= high;
  };
  for (const Utf8Row& row : kUtf8Rows) {
    if (!in(0, row.first_lead, row.last_lead)) continue;
    if (text.size() < row.length || !in(1, row.second_low, row.second_high)) return 0;
    for (std::size_t i = 2; i < row.length; ++i) {
      if (!in(i, 0x80, 0xbf)) return 0;
    }
    return row.length;
  }
  return 0;
}

/// Whether each segment of `text` is `allowed(segment, is_last)`.
template <typename Allowed>
bool are_segments(std::string_view text, Allowed allowed) {
  if (text.empty() || text.size() > kMaxTopicBytes || text.ends_with('/')) return false;
  for (std::size_t count = 0; !text.empty(); ++count) {
    const std::string_view segment = next_segment(text);
    if (count == kMaxTopicSegments || !allowed(segment, text.empty())) return false;
  }
  return true;
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

std::string_view next_segment(std::string_view& rest) {
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  const std::string_view segment = rest.substr(0, slash);
  rest.remove_prefix(std::min(slash + 1, rest.size()));
  return segment;
}

bool is_topic(std::string_view text) {
  return are_segments(text, [](std::string_view segment, bool) { return is_name(segment); });
}

bool is_topic_pattern(std::string_view text) {
  return are_segments(text, [](std::string_view segment, bool last) {
    return is_name(segment) || segment == "*" || (last && segment == "**");
  });
}

bool matches_topic_pattern(std::string_view pattern, std::string_view topic) {
  while (!pattern.empty() && !topic.empty()) {
    const std::string_view wanted = next_segment(pattern);
    if (wanted == "**") return true;
    const std::string_view segment = next_segment(topic);
    if (wanted != "*" && wanted != segment) return false;
  }
  return pattern.empty() && topic.empty();
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
