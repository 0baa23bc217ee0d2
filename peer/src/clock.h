// The clock of the library. Pure parts are given the time; only the shell reads it.
#pragma once

#include <chrono>

namespace zpost::peer {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;

/// `now` + `timeout`, or the end of time where that would overflow.
[[nodiscard]] constexpr Time deadline_after(Time now, std::chrono::milliseconds timeout) {
  if (timeout <= std::chrono::milliseconds::zero()) return now;
  const auto room = std::chrono::duration_cast<std::chrono::milliseconds>(Time::max() - now);
  return timeout >= room ? Time::max() : now + timeout;
}

}  // namespace zpost::peer
