// How long to look for work before going to sleep.
#pragma once

#include <algorithm>
#include <cstdint>

namespace zpost::net {

/// Spinning saves the time to fall asleep and to be woken, which is longer than the work of a turn.
/// It pays while the gaps between messages are short, so the latest gaps decide. A value.
class SpinBudget {
 public:
  static constexpr std::int64_t kSpin = 200'000;  // ns.

  /// `cores` the process may run on: on one, spinning only keeps the peers from running.
  explicit SpinBudget(int cores) : enabled_(cores > 1) {}

  /// For how long to spin now, in ns.
  [[nodiscard]] std::int64_t budget() const { return enabled_ && score_ >= kWorthIt ? kSpin : 0; }

  /// How long the socket was dry before there was work, spent spinning or asleep.
  void on_gap(std::int64_t ns) {
    score_ = ns <= kSpin ? std::min(score_ + 1, kMaxScore) : std::max(score_ - kPenalty, 0);
  }

 private:
  static constexpr int kWorthIt = 3;
  static constexpr int kMaxScore = 8;
  static constexpr int kPenalty = 2;

  bool enabled_;
  int score_ = 0;
};

}  // namespace zpost::net
