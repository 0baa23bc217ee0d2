#include "protocol/filter/filter_error.h"

#include <fmt/format.h>

#include <algorithm>

#include "zpost/protocol/names.h"

namespace zpost::filter {

namespace {

/// Characters of UTF-8: bytes but those that go on with one.
std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

/// With a space for each control character; of bytes that are no UTF-8 only ASCII stays.
std::string harmless(std::string_view text) {
  const bool utf8 = is_utf8(text);
  std::string out(text);
  for (char& c : out) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !utf8)) c = ' ';
  }
  return out;
}

}  // namespace

std::string FilterError::on_one_line(std::string_view filter) const {
  return fmt::format("column {}: {}", characters(filter.substr(0, at)) + 1, harmless(text));
}

std::string FilterError::with_caret(std::string_view filter) const {
  // Longer ones show the surroundings only.
  constexpr std::size_t kBefore = 50;
  constexpr std::size_t kShown = 70;
  std::size_t begin = at > kBefore ? at - kBefore : 0;
  while (begin < at && (static_cast<unsigned char>(filter[begin]) & 0xc0) == 0x80) ++begin;
  std::size_t end = std::min(filter.size(), begin + kShown);
  while (end < filter.size() && (static_cast<unsigned char>(filter[end]) & 0xc0) == 0x80) ++end;
  const std::string shown = harmless(filter.substr(begin, end - begin));
  const std::size_t columns = characters(std::string_view(shown).substr(0, at - begin));
  return fmt::format("{}\n  {}\n  {:>{}}", on_one_line(filter), shown, '^', columns + 1);
}

}  // namespace zpost::filter
