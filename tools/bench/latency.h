// The latency run: one pair plays ping-pong.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "tools/bench/run.h"
#include "tools/bench/statistics.h"
#include "tools/bench/system.h"

namespace zpost::bench {

struct LatencyWork {
  std::size_t payload_bytes = 64;
  std::uint64_t warmup = 500;
  std::uint64_t round_trips = 20'000;
  std::chrono::seconds timeout{60};  // For the whole run.
};

struct LatencyRun {
  RunRecord record;
  std::uint64_t finished = 0;  // Round trips, warm-up included.
  std::uint64_t corrupt = 0;
  Percentiles microseconds;  // Only of a finished run.

  [[nodiscard]] bool flawless() const { return record.finished() && corrupt == 0; }
};

/// Performs one run. Throws Interrupted only.
LatencyRun run_latency(const System& system, const LatencyWork& work);

}  // namespace zpost::bench
