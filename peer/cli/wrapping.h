// Words on the rows of a terminal. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace zpost::cli {

/// Where rows begin.
struct Margins {
  std::size_t line = 0;  // After a line feed in the text, in columns.
  std::size_t wrap = 0;  // After one that is put between two words.
};

/// Puts texts one behind the other, and begins a new row before a word that would be cut. One that
/// fits no row goes on where it is, so that what is copied from the screen is whole.
class Wrapping {
 public:
  /// `columns` of the terminal, 0: without end; `column`: where the first text begins.
  Wrapping(std::size_t columns, std::size_t column, Margins margins);

  /// `text` is visible and has no colours. Spaces at its end are put before the next word.
  [[nodiscard]] std::string put(std::string_view text);

 private:
  void put_word(std::string& out, std::string_view word);
  void begin_row(std::string& out, std::size_t margin);

  std::size_t columns_;
  std::size_t column_;
  Margins margins_;
  std::size_t spaces_ = 0;  // That wait for a word.
};

}  // namespace zpost::cli
