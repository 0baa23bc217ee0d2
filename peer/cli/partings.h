// News of people who go, kept until what they said before has come.
#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "zpost/peer/message.h"

namespace zpost::cli {

/// What somebody says in a room and the news that he left it come by different queues, in the
/// broker as well as here: whoever shows both waits a little with the news. One for each person.
class Partings {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// Longer than the broker lets publishes wait for company.
  static constexpr std::chrono::milliseconds kLastWords{100};

  /// REQUIRES: none of the same person is held.
  void hold(peer::PresenceChange change, Time now) {
    std::string name = change.peer;
    held_.emplace(std::move(name), Held{std::move(change), now + kLastWords});
  }

  /// That of a person, of whom there is other news.
  [[nodiscard]] std::optional<peer::PresenceChange> take(const std::string& name) {
    const auto found = held_.find(name);
    if (found == held_.end()) return std::nullopt;
    return take(found);
  }

  /// One that has waited enough.
  [[nodiscard]] std::optional<peer::PresenceChange> take_due(Time now) {
    const auto first = earliest();
    if (first == held_.end() || first->second.due > now) return std::nullopt;
    return take(first);
  }

  /// When the next one will have waited enough; nothing: none is held.
  [[nodiscard]] std::optional<Time> next() const {
    const auto first = earliest();
    return first == held_.end() ? std::nullopt : std::optional(first->second.due);
  }

 private:
  struct Held {
    peer::PresenceChange change;
    Time due;
  };

  using Table = std::map<std::string, Held>;

  [[nodiscard]] Table::const_iterator earliest() const {
    return std::min_element(held_.begin(), held_.end(), [](const auto& one, const auto& other) {
      return one.second.due < other.second.due;
    });
  }

  [[nodiscard]] peer::PresenceChange take(Table::const_iterator at) {
    peer::PresenceChange change = at->second.change;
    held_.erase(at);
    return change;
  }

  Table held_;
};

}  // namespace zpost::cli
