// Measures round trips of one pinger, one at a time.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tools/bench/interrupt.h"

namespace zpost::bench {

/// Counts of a latency run, in shared memory.
struct RoundTripCounts {
  std::atomic<std::uint64_t> finished = 0;  // Warm-up included.
  std::atomic<std::uint64_t> corrupt = 0;   // What came back is not what was sent.
};

/// The pinger's stopwatch. Thread: one at a time.
class RoundTrips {
 public:
  /// Measures `samples.size()` round trips after `warmup` unmeasured ones. `samples` receives
  /// nanoseconds. All references must outlive the object.
  RoundTrips(std::size_t payload_bytes, std::uint64_t warmup, std::span<std::uint64_t> samples,
             RoundTripCounts& counts);

  /// From now on not more than so many begin a second: begin() waits. One that takes longer than
  /// its share does not make the next ones come faster. REQUIRES: per_second > 0.
  void keep_to(double per_second);

  /// Starts the next round trip and returns the payload to send, valid until the next begin().
  /// Empty: there are no more.
  [[nodiscard]] std::span<const std::byte> begin();

  /// Ends the round trip with what came back.
  void end(std::span<const std::byte> payload);

 private:
  void await_turn();

  std::uint64_t warmup_;
  std::span<std::uint64_t> samples_;
  RoundTripCounts& counts_;
  std::uint64_t finished_ = 0;
  std::vector<std::byte> payload_;
  Clock::time_point begun_;
  std::chrono::nanoseconds period_{0};
  Clock::time_point next_;  // Not before this, with a period.
};

}  // namespace zpost::bench
