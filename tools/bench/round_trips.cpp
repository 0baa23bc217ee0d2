#include "tools/bench/round_trips.h"

#include <algorithm>
#include <chrono>

#include "tools/bench/payload.h"

namespace zpost::bench {

RoundTrips::RoundTrips(std::size_t payload_bytes, std::uint64_t warmup,
                       std::span<std::uint64_t> samples, RoundTripCounts& counts)
    : warmup_(warmup), samples_(samples), counts_(counts), payload_(payload_bytes) {}

void RoundTrips::keep_to(double per_second) {
  period_ =
      std::chrono::ceil<std::chrono::nanoseconds>(std::chrono::duration<double>(1 / per_second));
}

std::span<const std::byte> RoundTrips::begin() {
  if (finished_ == warmup_ + samples_.size()) return {};
  if (period_.count() > 0) await_turn();
  write_payload({.sequence = finished_, .pair = 0}, payload_);
  begun_ = Clock::now();
  return payload_;
}

void RoundTrips::await_turn() {
  const Clock::time_point now = Clock::now();
  if (now < next_) pause_for(std::chrono::ceil<std::chrono::microseconds>(next_ - now));
  next_ = std::max(next_, now) + period_;
}

void RoundTrips::end(std::span<const std::byte> payload) {
  const std::chrono::nanoseconds elapsed = Clock::now() - begun_;
  if (!std::ranges::equal(payload, payload_)) counts_.corrupt.fetch_add(1);
  if (finished_ >= warmup_) {
    samples_[finished_ - warmup_] = static_cast<std::uint64_t>(elapsed.count());
  }
  ++finished_;
  counts_.finished.store(finished_, std::memory_order_release);
}

}  // namespace zpost::bench
