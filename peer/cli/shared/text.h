// What others wrote, as a terminal may show it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace zpost::cli {

/// One character of UTF-8 and the rest. Bytes that are no UTF-8 come one by one.
struct Character {
  char32_t code = 0;
  std::string_view bytes = {};
  bool valid = false;
};

/// Takes the first character off `rest`. REQUIRES: !rest.empty().
[[nodiscard]] Character next_character(std::string_view& rest);

/// Bytes of a character that begins with `first`; 1 for bytes that begin none.
[[nodiscard]] std::size_t utf8_length(char first);

/// Appends `code` as UTF-8; U+FFFD for what is no character.
void append_utf8(std::string& text, char32_t code);

/// `text` on one line, safe for a terminal: control characters, marks that reorder text and bytes
/// that are no UTF-8 are written as escapes (`\n`, `\e`, `\x07`, `\u{202e}`).
[[nodiscard]] std::string visible_line(std::string_view text);

/// The same over several lines: a line feed stays one, and what follows is indented by `indent`
/// spaces, so that no line of the text looks like one of ours. A tab becomes spaces.
[[nodiscard]] std::string visible_block(std::string_view text, std::size_t indent);

/// With U+FFFD in place of bytes that are no UTF-8.
[[nodiscard]] std::string as_utf8(std::string_view text);

/// How many columns a terminal needs for `text`, which is visible and has no colours.
[[nodiscard]] std::size_t columns_of(std::string_view text);

/// At most `columns` of it, the last one `…` if something was left out.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t columns);

/// `text` and as many spaces as `columns` asks for.
[[nodiscard]] std::string padded(std::string text, std::size_t columns);

/// Without the white space between the tokens of JSON. Other text comes back somehow.
[[nodiscard]] std::string compact_json(std::string_view text);

/// Makes libc's character functions speak UTF-8, whatever the environment says. Call once, first.
void use_utf8();

}  // namespace zpost::cli
