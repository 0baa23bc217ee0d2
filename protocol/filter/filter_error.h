// What is wrong with the text of a filter.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace zpost::filter {

struct FilterError {
  std::size_t at = 0;  // Byte of the text.
  std::string text;    // What is wrong there, and what was expected.

  /// `column 7: …`: of characters, from 1.
  [[nodiscard]] std::string on_one_line(std::string_view filter) const;
  /// The same, the line of the filter it is in, and a caret below the place. Characters that would
  /// move a terminal's cursor are shown as spaces.
  [[nodiscard]] std::string with_caret(std::string_view filter) const;
};

}  // namespace zpost::filter
