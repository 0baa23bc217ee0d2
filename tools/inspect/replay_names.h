// Under which names recorded peers play, and to whom else recorded envelopes go. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "zpost/protocol/result.h"

namespace zpost::inspect {

/// Rules `OLD=NEW`. OLD is a name, or the beginning of one and `*`; what `*` stood for goes where
/// NEW has one. The first rule that matches counts.
class NameRules {
 public:
  enum class Of : std::uint8_t { kPeers, kTopics };

  NameRules() = default;

  explicit NameRules(Of of) : of_(of) {}

  /// Error: what is wrong with the rule.
  [[nodiscard]] Result<void> add(std::string_view text);

  /// The new name, which may be none (too long, say); nothing: no rule matches.
  [[nodiscard]] std::optional<std::string> apply(std::string_view name) const;

  /// The same; without a rule the name itself.
  [[nodiscard]] std::string name_for(std::string_view name) const;

  [[nodiscard]] bool empty() const { return rules_.empty(); }

 private:
  struct Rule {
    std::string before;       // Of OLD, what stands before the `*`.
    bool is_pattern = false;  // OLD has one.
    std::string new_before;   // Of NEW …
    std::string new_after;    // … and what stands behind its `*`.
    bool new_has_star = false;
  };

  [[nodiscard]] bool is_good(std::string_view name) const;

  Of of_ = Of::kPeers;
  std::vector<Rule> rules_;
};

/// Where envelopes go instead of where they went: other peers, services (`@OLD=@NEW`), topics (what
/// has a `/`).
struct Redirections {
  NameRules peers;
  NameRules services;
  NameRules topics{NameRules::Of::kTopics};

  /// Error: what is wrong with the rule.
  [[nodiscard]] Result<void> add(std::string_view text);
};

}  // namespace zpost::inspect
