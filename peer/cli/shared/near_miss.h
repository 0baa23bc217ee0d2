// What somebody probably meant to type. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zpost::cli {

/// The one of `known` that is closest to `word`: a slip of the fingers away, cut short, or of the
/// same words otherwise joined (`--file-body` for `--body-file`). Nothing: none is near.
[[nodiscard]] std::optional<std::string> near_miss(std::string_view word,
                                                   const std::vector<std::string>& known);

/// `; did you mean --lines?`, or nothing.
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       const std::vector<std::string>& known);

}  // namespace zpost::cli
