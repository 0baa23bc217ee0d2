// Lines that fit the terminal they are printed on.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace zpost::inspect {

/// How wide the terminal on standard output is; `otherwise` if it is none.
[[nodiscard]] std::size_t output_columns(std::size_t otherwise);

/// `text` as lines of at most `columns`, broken between words. Pure.
[[nodiscard]] std::vector<std::string> wrapped(const std::string& text, std::size_t columns);

/// One line of text, without a line feed at its end, in as many as it takes, all but the first
/// indented. `columns`: 0: however wide it is. Pure.
[[nodiscard]] std::string folded(std::string_view text, std::size_t columns,
                                 std::size_t indent = 2);

}  // namespace zpost::inspect
