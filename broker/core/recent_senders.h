// Who sent lately, counted.
#pragma once

#include <algorithm>
#include <cstdint>

#include "broker/core/time.h"

namespace zpost::core {

/// Counts sessions that sent within the period of a second under way, and remembers how many did
/// in the one before. A session that ends stays counted until then.
class RecentSenders {
 public:
  /// It is `now`, in ns: ends the period if that is over.
  void turn(std::int64_t now) {
    const std::int64_t lasted = now - since_;
    if (lasted < kSecond) return;
    before_ = lasted < 2 * kSecond ? count_ : 0;
    count_ = 0;
    since_ = now;
    ++period_;
  }

  /// Somebody sends. `counted`: the session's own, 0 at first.
  void count(std::uint64_t& counted) {
    if (counted == period_) return;
    counted = period_;
    ++count_;
  }

  [[nodiscard]] bool several() const { return std::max(count_, before_) > 1; }

 private:
  std::uint64_t period_ = 1;
  std::int64_t since_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t before_ = 0;
};

}  // namespace zpost::core
