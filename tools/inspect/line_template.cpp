#include "tools/inspect/line_template.h"

#include <algorithm>
#include <utility>

namespace zpost::inspect {
namespace {

using filter::FilterError;

/// Where the brace that ends a field stands, quotes passed over; npos: nowhere.
std::size_t end_of_field(std::string_view text, std::size_t at) {
  char quote = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (quote != 0 && c == '\\') {
      ++at;
    } else if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '}') {
      return at;
    }
  }
  return std::string_view::npos;
}

/// What the character behind a backslash stands for; nothing: no backslash goes there.
std::optional<char> escaped(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case '\\':
      return '\\';
    default:
      return std::nullopt;
  }
}

}  // namespace

Result<LineTemplate, FilterError> LineTemplate::parse(std::string_view text) {
  LineTemplate made;
  Piece piece;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    const char next = at + 1 < text.size() ? text[at + 1] : '\0';
    if (c == '\\') {
      const std::optional<char> meant = escaped(next);
      if (!meant) return FilterError{at, "a backslash stands before n, t or another one"};
      piece.text += *meant;
      ++at;
    } else if ((c == '{' || c == '}') && next == c) {
      piece.text += c;
      ++at;
    } else if (c == '}') {
      return FilterError{at, "there is no { for it; a brace by itself is written twice"};
    } else if (c == '{') {
      const std::size_t end = end_of_field(text, at + 1);
      if (end == std::string_view::npos) return FilterError{at, "there is no } for it"};
      Result<LineField, FilterError> field = line_field(text.substr(at + 1, end - at - 1), at + 1);
      if (!field) return field.error();
      piece.field = *std::move(field);
      made.pieces_.push_back(std::exchange(piece, {}));
      at = end;
    } else {
      piece.text += c;
    }
  }
  if (!piece.text.ends_with('\n')) piece.text += '\n';
  made.pieces_.push_back(std::move(piece));
  return made;
}

std::string LineTemplate::text(const TailLine& line) const {
  std::string text;
  for (const Piece& piece : pieces_) {
    text += piece.text;
    if (piece.field) text += field_text(*piece.field, line);
  }
  return text;
}

bool LineTemplate::has_field(std::string_view name) const {
  return std::ranges::any_of(
      pieces_, [name](const Piece& piece) { return piece.field && piece.field->name == name; });
}

}  // namespace zpost::inspect
