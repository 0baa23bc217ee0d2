// Frames in words, for transcripts and failures.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace zpost::core::test {

/// One line for each envelope of `frame`; neighbours that differ only in their ids share one. Bytes
/// that are no envelope are said to be so.
[[nodiscard]] std::vector<std::string> describe(std::string_view frame);

}  // namespace zpost::core::test
