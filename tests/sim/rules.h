// What the simulated world demands, and what is thrown when it does not hold.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace zpost::sim {

/// A promise that was broken. `rule` names it in a few words that stay the same from history to
/// history, so that a shorter history can be asked whether it breaks the same one.
class Violation : public std::logic_error {
 public:
  Violation(std::string_view rule, const std::string& text)
      : std::logic_error(std::string(rule) + ": " + text), rule_(rule) {}

  [[nodiscard]] const std::string& rule() const { return rule_; }

 private:
  std::string rule_;
};

/// Throws unless `claim` holds. `text` is only made when it does not.
template <typename Text>
void insist(bool claim, std::string_view rule, Text text) {
  if (!claim) throw Violation(rule, text());
}

}  // namespace zpost::sim
