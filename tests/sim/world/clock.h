// Virtual time. It goes forward from event to event; only the wall clock may jump.
#pragma once

#include <cstdint>

#include "peer/src/clock.h"

namespace zpost::sim {

/// Nanoseconds since the history began.
using Moment = std::int64_t;

inline constexpr Moment kNeverComes = INT64_MAX;
inline constexpr Moment kMicrosecond = 1'000;
inline constexpr Moment kMilli = 1'000'000;
inline constexpr Moment kSec = 1'000 * kMilli;

/// The library's clock at that moment: it does not begin at zero.
[[nodiscard]] inline peer::Time to_peer_time(Moment moment) {
  return peer::Time(std::chrono::seconds(1000) + std::chrono::nanoseconds(moment));
}

[[nodiscard]] inline Moment from_peer_time(peer::Time time) {
  if (time == peer::Time::max()) return kNeverComes;
  if (time == peer::Time::min()) return 0;
  const auto since = time.time_since_epoch() - std::chrono::seconds(1000);
  return std::chrono::duration_cast<std::chrono::nanoseconds>(since).count();
}

}  // namespace zpost::sim
