// A stranger's text, in what people read.
#pragma once

#include <string>
#include <string_view>

namespace zpost::core {

/// What is harmless of the first few bytes.
[[nodiscard]] std::string shown(std::string_view text);

/// To stand between quotes in a line of the log: none inside, and nothing that looks like the end.
[[nodiscard]] std::string quoted(std::string_view text);

}  // namespace zpost::core
