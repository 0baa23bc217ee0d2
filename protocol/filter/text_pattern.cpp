#include "protocol/filter/text_pattern.h"

#include <span>

namespace zpost::filter {

TextPattern::TextPattern(std::string_view text) : pieces_(1) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '*') {
      pieces_.emplace_back();
      continue;
    }
    const bool escapes = text[i] == '\\' && i + 1 < text.size();
    if (escapes && (text[i + 1] == '*' || text[i + 1] == '\\')) ++i;
    pieces_.back() += text[i];
  }
}

bool TextPattern::matches(std::string_view text) const {
  if (pieces_.size() == 1) return text == pieces_.front();
  if (!text.starts_with(pieces_.front())) return false;
  text.remove_prefix(pieces_.front().size());
  if (!text.ends_with(pieces_.back())) return false;
  text.remove_suffix(pieces_.back().size());
  // The first place for each is as good as any later one.
  for (const std::string& piece : std::span(pieces_).subspan(1, pieces_.size() - 2)) {
    const std::size_t at = text.find(piece);
    if (at == std::string_view::npos) return false;
    text.remove_prefix(at + piece.size());
  }
  return true;
}

bool TextPattern::is_found_in(std::string_view text) const {
  for (const std::string& piece : pieces_) {
    const std::size_t at = text.find(piece);
    if (at == std::string_view::npos) return false;
    text.remove_prefix(at + piece.size());
  }
  return true;
}

}  // namespace zpost::filter
