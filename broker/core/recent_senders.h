// Who sent lately, counted.
#pragma once

#include <algorithm>
#include <cstdint>

#include "broker/core/limits.h"
#include "broker/core/time.h"

namespace zpost::core {

/// Counts sessions that sent within the period under way, of a second or more, and remembers how
/// many did in the one before. A session that ends stays counted until then.
class RecentSenders {
 public:
  /// It is `now`, in ns: ends the period if that is over.
  void turn(std::int64_t now) {
    const std::int64_t lasted = now - since_;
    if (lasted < kSecond) return;
    before_ = lasted < 2 * kSecond ? now_ : Counts{};
    now_ = {};
    since_ = now;
    ++period_;
  }

  /// Somebody sends, who may have `credit` unsettled. `counted`: the session's own, 0 at first.
  void count(std::uint64_t& counted, std::uint64_t credit, const Limits& limits) {
    if (counted == period_) return;
    counted = period_;
    ++now_.all;
    if (credit <= limits.credit_initial) ++now_.quiet;
    if (credit >= limits.credit_max / kBusy) ++now_.busy;
  }

  [[nodiscard]] bool several() const { return std::max(now_.all, before_.all) > 1; }

  /// Some have what a newcomer has, some a large part of the most: those waited for it.
  [[nodiscard]] bool differ() const {
    return now_.quiet + before_.quiet > 0 && now_.busy + before_.busy > 0;
  }

 private:
  static constexpr std::uint64_t kBusy = 8;  // Who has this part of limits.credit_max is.

  struct Counts {
    std::uint64_t all = 0;
    std::uint64_t quiet = 0;
    std::uint64_t busy = 0;
  };

  std::uint64_t period_ = 1;
  std::int64_t since_ = 0;
  Counts now_;
  Counts before_;
};

}  // namespace zpost::core
