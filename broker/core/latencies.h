// How long envelopes took, counted where they are settled.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "broker/core/time.h"
#include "zpost/protocol/kinds.h"

namespace zpost::core {

/// Times by size. Neighbours that took the same time are one addition, so that it costs a run a few
/// nanoseconds, and an envelope nothing.
class LatencyHistogram {
 public:
  /// Upper ends of the buckets, inclusive, in ns. What took longer is in a last one.
  static constexpr std::array<std::int64_t, 20> kBounds = {
      10'000,     25'000,        50'000,        100'000,        250'000,
      500'000,    kMillisecond,  2'500'000,     5'000'000,      10'000'000,
      25'000'000, 50'000'000,    100'000'000,   250'000'000,    500'000'000,
      kSecond,    2'500'000'000, 5'000'000'000, 10'000'000'000, 30'000'000'000};

  void add(std::int64_t ns, std::uint64_t count) {
    const auto* const bound = std::lower_bound(kBounds.begin(), kBounds.end(), ns);
    counts_[static_cast<std::size_t>(bound - kBounds.begin())] += count;
    seconds_ += static_cast<double>(ns) * 1e-9 * static_cast<double>(count);
  }

  /// Of one bucket, without those below it.
  [[nodiscard]] std::uint64_t count(std::size_t bucket) const { return counts_[bucket]; }

  /// Of all.
  [[nodiscard]] double seconds() const { return seconds_; }

 private:
  std::array<std::uint64_t, kBounds.size() + 1> counts_{};
  double seconds_ = 0;
};

/// By kind. Exact for what came in a turn of its own; of what waits in a longer and longer queue,
/// neighbours may count as having come with the first of them: see Impl::came_together().
class Latencies {
 public:
  /// Envelopes: from their arrival until their recipient took them, or was handed them if it does
  /// not acknowledge. Of a publish, each copy. REQUIRES: a payload kind.
  [[nodiscard]] LatencyHistogram& delivery(std::uint8_t kind) { return delivery_[place(kind)]; }

  [[nodiscard]] const LatencyHistogram& delivery(Kind kind) const {
    return delivery_[place(static_cast<std::uint8_t>(kind))];
  }

  /// Requests and calls: until their last reply arrived.
  LatencyHistogram request;
  LatencyHistogram call;

 private:
  static constexpr auto kFirst = static_cast<std::uint8_t>(Kind::kSend);
  static constexpr std::size_t kKinds = static_cast<std::uint8_t>(Kind::kCall) - kFirst + 1;

  [[nodiscard]] static std::size_t place(std::uint8_t kind) { return kind - kFirst; }

  std::array<LatencyHistogram, kKinds> delivery_;
};

}  // namespace zpost::core
