#include "peer/cli/wrapping.h"

#include <algorithm>

#include "peer/cli/shared/text.h"

namespace zpost::cli {

Wrapping::Wrapping(std::size_t columns, std::size_t column, Margins margins)
    : columns_(columns), column_(column), margins_(margins) {
  if (columns_ == 0) return;
  // On a narrow terminal there must be room for words.
  margins_.line = std::min(margins_.line, columns_ / 3);
  margins_.wrap = std::min(margins_.wrap, columns_ / 3);
}

std::string Wrapping::put(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t spaces = std::min(text.size(), text.find_first_not_of(' '));
    spaces_ += spaces;
    text.remove_prefix(spaces);
    if (text.starts_with('\n')) {
      begin_row(out, margins_.line);
      text.remove_prefix(1);
      continue;
    }
    const std::string_view word = text.substr(0, text.find_first_of(" \n"));
    if (!word.empty()) put_word(out, word);
    text.remove_prefix(word.size());
  }
  return out;
}

void Wrapping::put_word(std::string& out, std::string_view word) {
  const std::size_t width = columns_of(word);
  const bool fits_here = column_ + spaces_ + width <= columns_;
  const bool fits_a_row = margins_.wrap + width <= columns_;
  if (columns_ > 0 && !fits_here && fits_a_row) begin_row(out, margins_.wrap);
  out.append(spaces_, ' ');
  out += word;
  column_ += spaces_ + width;
  spaces_ = 0;
  if (columns_ > 0 && column_ > columns_) column_ = (column_ - 1) % columns_ + 1;
}

void Wrapping::begin_row(std::string& out, std::size_t margin) {
  out += '\n';
  out.append(margin, ' ');
  column_ = margin;
  spaces_ = 0;
}

}  // namespace zpost::cli
