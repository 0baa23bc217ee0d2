// The storm: many peers connect to a zpost-broker within seconds.
#pragma once

#include <chrono>
#include <cstdint>

#include "tools/bench/run.h"
#include "tools/bench/statistics.h"

namespace zpost::bench {

struct StormWork {
  std::uint32_t rate = 2000;  // Connections a second,
  std::uint32_t seconds = 5;  // for so long. All stay connected until the end.
  std::chrono::seconds timeout{60};
};

struct StormRun {
  RunRecord record;
  std::uint64_t wanted = 0;
  std::uint64_t welcomed = 0;
  std::uint64_t refused = 0;
  double seconds = 0;        // From the first attempt to the last welcome.
  Percentiles milliseconds;  // From when a connection was due to its welcome.

  [[nodiscard]] std::uint64_t hung() const { return wanted - welcomed - refused; }

  [[nodiscard]] bool flawless() const { return record.finished() && welcomed == wanted; }
};

/// Performs one run. Throws Interrupted only.
StormRun run_storm(const StormWork& work);

}  // namespace zpost::bench
