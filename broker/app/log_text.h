// What may stand in a line of the log.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace zpost::app {

inline constexpr std::size_t kMaxLogLineBytes = 1024;

/// `text` as one line that a terminal shows as it is, however a stranger chose parts of it: control
/// characters, characters that end lines or turn them around, and bytes that are no UTF-8 become
/// `\xHH` for each byte. Cut to kMaxLogLineBytes, with an ellipsis.
///
/// Quotes and backslashes stay: only whoever wraps a value in quotes can tell which are its own.
[[nodiscard]] std::string log_text(std::string_view text);

}  // namespace zpost::app
