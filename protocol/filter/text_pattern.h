// Text with `*` for any characters.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace zpost::filter {

/// Matching takes at most text × pattern steps and allocates nothing.
class TextPattern {
 public:
  /// `\*` is an asterisk, `\\` a backslash; so is one before anything else.
  explicit TextPattern(std::string_view text);

  [[nodiscard]] bool matches(std::string_view text) const;

  /// The text without a `*` in it, which is looked for somewhere.
  [[nodiscard]] bool is_found_in(std::string_view text) const;

 private:
  std::vector<std::string> pieces_;  // What stands between the asterisks; at least one.
};

}  // namespace zpost::filter
