#include "peer/cli/line_layout.h"

#include <cwchar>
#include <cwctype>

namespace zpost::cli {
namespace {

constexpr std::size_t kTabStop = 8;

/// `^A` for control characters, `\U+12345` for others that cannot be printed.
std::size_t width_of(wchar_t character) {
  if (std::iswprint(static_cast<std::wint_t>(character)) != 0) {
    const int width = ::wcwidth(character);
    return width < 0 ? 0 : static_cast<std::size_t>(width);
  }
  if (character < 0x20 || character == 0x7f) return 2;
  return character < 0x10000 ? 8 : 9;
}

}  // namespace

std::size_t rows_above_cursor(std::size_t prompt_columns, std::wstring_view text,
                              std::size_t columns) {
  if (columns == 0) return 0;
  std::size_t row = prompt_columns / columns;
  std::size_t column = prompt_columns % columns;
  const auto advance = [&](std::size_t width) {
    if (column + width > columns) {  // A wide character does not break.
      ++row;
      column = 0;
    }
    column += width;
    if (column < columns) return;
    ++row;
    column = 0;
  };
  for (const wchar_t character : text) {
    if (character == L'\t') {
      do advance(1);
      while (column % kTabStop != 0);
    } else if (std::iswprint(static_cast<std::wint_t>(character)) != 0) {
      advance(width_of(character));
    } else {
      for (std::size_t i = width_of(character); i > 0; --i) advance(1);
    }
  }
  return row;
}

}  // namespace zpost::cli
