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
    before_ = lasted < 2 * kSecond ? now_ : Counts{};
    now_ = {};
    since_ = now;
    ++period_;
  }

  /// Somebody sends. `counted`: the session's own, 0 at first. `quiet`: it sends little.
  void count(std::uint64_t& counted, bool quiet) {
    if (counted == period_) return;
    counted = period_;
    ++now_.all;
    if (quiet) ++now_.quiet;
  }

  [[nodiscard]] bool several() const { return std::max(now_.all, before_.all) > 1; }

  [[nodiscard]] bool any_quiet() const { return now_.quiet + before_.quiet > 0; }

 private:
  struct Counts {
    std::uint64_t all = 0;
    std::uint64_t quiet = 0;
  };

  std::uint64_t period_ = 1;
  std::int64_t since_ = 0;
  Counts now_;
  Counts before_;
};

}  // namespace zpost::core
