// Where libedit puts the characters of an edited line. Pure.
#pragma once

#include <cstddef>
#include <string_view>

namespace zpost::cli {

/// Rows below the one where the prompt begins, when the cursor stands behind `text`, which is typed
/// behind a prompt of `prompt_columns`, on a terminal of `columns`.
[[nodiscard]] std::size_t rows_above_cursor(std::size_t prompt_columns, std::wstring_view text,
                                            std::size_t columns);

}  // namespace zpost::cli
