#include "peer/cli/shared/text.h"

#include <fmt/format.h>
#include <langinfo.h>

#include <algorithm>
#include <array>
#include <clocale>
#include <cstring>
#include <cwchar>
#include <iterator>

#include "zpost/protocol/names.h"

namespace zpost::cli {
namespace {

constexpr std::size_t kTabColumns = 4;

struct Range {
  char32_t first;
  char32_t last;
};

// What changes more than its own place on a screen: C1 controls, marks of direction, separators.
constexpr std::array kInvisible{
    Range{0x7f, 0x9f},     Range{0xad, 0xad},     Range{0x61c, 0x61c},
    Range{0x200b, 0x200b}, Range{0x200e, 0x200f}, Range{0x2028, 0x202e},
    Range{0x2060, 0x206f}, Range{0xfeff, 0xfeff}, Range{0xfff9, 0xfffb}};

bool is_printable(char32_t code) {
  if (code < 0x20) return false;
  return std::ranges::none_of(
      kInvisible, [code](Range range) { return code >= range.first && code <= range.last; });
}

void append_escape(std::string& out, char32_t code) {
  switch (code) {
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    case 0x1b:
      out += "\\e";
      return;
    default:
      break;
  }
  const auto number = static_cast<std::uint32_t>(code);
  if (code < 0x80) {
    fmt::format_to(std::back_inserter(out), "\\x{:02x}", number);
  } else {
    fmt::format_to(std::back_inserter(out), "\\u{{{:x}}}", number);
  }
}

void append_visible(std::string& out, const Character& character) {
  if (!character.valid) {
    fmt::format_to(std::back_inserter(out), "\\x{:02x}",
                   static_cast<unsigned char>(character.bytes.front()));
  } else if (is_printable(character.code)) {
    out += character.bytes;
  } else {
    append_escape(out, character.code);
  }
}

std::size_t width_of(char32_t code) {
  const int width = ::wcwidth(static_cast<wchar_t>(code));
  return width < 0 ? 1 : static_cast<std::size_t>(width);
}

}  // namespace

std::size_t utf8_length(char first) {
  const auto byte = static_cast<unsigned char>(first);
  if (byte < 0xc0) return 1;
  if (byte < 0xe0) return 2;
  if (byte < 0xf0) return 3;
  return byte < 0xf8 ? 4 : 1;
}

Character next_character(std::string_view& rest) {
  const auto first = static_cast<unsigned char>(rest.front());
  const std::size_t length = utf8_length(rest.front());
  Character character{first, rest.substr(0, 1), first < 0x80};
  if (length > 1 && length <= rest.size() && is_utf8(rest.substr(0, length))) {
    character = {first & (0xffU >> (length + 1)), rest.substr(0, length), true};
    for (std::size_t i = 1; i < length; ++i) {
      character.code = character.code << 6 | (static_cast<unsigned char>(rest[i]) & 0x3fU);
    }
  }
  rest.remove_prefix(character.bytes.size());
  return character;
}

void append_utf8(std::string& text, char32_t code) {
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) code = 0xfffd;
  const auto put = [&text](char32_t byte) { text += static_cast<char>(byte); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xc0 | code >> 6);
  } else if (code < 0x10000) {
    put(0xe0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3f));
  } else {
    put(0xf0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3f));
    put(0x80 | (code >> 6 & 0x3f));
  }
  put(0x80 | (code & 0x3f));
}

std::string visible_line(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) append_visible(out, next_character(text));
  return out;
}

std::string visible_block(std::string_view text, std::size_t indent) {
  std::string out;
  out.reserve(text.size());
  if (text.ends_with('\n')) text.remove_suffix(1);
  while (!text.empty()) {
    const Character character = next_character(text);
    if (character.bytes == "\n") {
      out += '\n';
      out.append(indent, ' ');
    } else if (character.bytes == "\t") {
      out.append(kTabColumns, ' ');
    } else if (character.bytes != "\r" || !text.starts_with('\n')) {
      append_visible(out, character);
    }
  }
  return out;
}

std::string as_utf8(std::string_view text) {
  if (is_utf8(text)) return std::string(text);
  std::string out;
  while (!text.empty()) {
    const Character character = next_character(text);
    append_utf8(out, character.valid ? character.code : 0xfffd);
  }
  return out;
}

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) columns += width_of(next_character(text).code);
  return columns;
}

std::string shortened(std::string_view text, std::size_t columns) {
  std::string_view rest = text;
  std::size_t used = 0;
  std::size_t fits = 0;  // Bytes after which there is still room for the mark.
  while (!rest.empty()) {
    used += width_of(next_character(rest).code);
    if (used > columns) return std::string(text.substr(0, fits)) + "…";
    if (used < columns) fits = text.size() - rest.size();
  }
  return std::string(text);
}

std::string padded(std::string text, std::size_t columns) {
  const std::size_t used = columns_of(text);
  if (used < columns) text.append(columns - used, ' ');
  return text;
}

std::string compact_json(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool in_string = false;
  bool escaped = false;
  for (const char c : text) {
    if (!in_string && std::strchr(" \t\r\n", c) != nullptr && c != '\0') continue;
    out += c;
    if (c == '"' && !escaped) in_string = !in_string;
    escaped = in_string && c == '\\' && !escaped;
  }
  return out;
}

void use_utf8() {
  if (std::setlocale(LC_CTYPE, "") != nullptr &&
      std::string_view(::nl_langinfo(CODESET)) == "UTF-8") {
    return;
  }
  (void)std::setlocale(LC_CTYPE, "C.UTF-8");
}

}  // namespace zpost::cli
