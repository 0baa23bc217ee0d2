// A steady rate: when which payload is due.
#pragma once

#include <chrono>
#include <cstdint>

namespace zpost::bench {

/// Of payloads numbered from 0, the first of which is due at once.
class Pace {
 public:
  /// REQUIRES: per_second > 0.
  explicit Pace(double per_second) : per_second_(per_second) {}

  /// How many are due by now, so long after the first.
  [[nodiscard]] std::uint64_t due_after(std::chrono::nanoseconds elapsed) const;

  /// How long after the first the payload `sequence` is due.
  [[nodiscard]] std::chrono::nanoseconds time_of(std::uint64_t sequence) const;

 private:
  double per_second_;
};

}  // namespace zpost::bench
