// How fast bytes move.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace zpost::cli {

/// Smooths over a second or two. Pure: the time is given. It must not decrease.
class RateMeter {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// `position` bytes were there at `now`. Less than before: it begins again.
  void note(std::uint64_t position, Time now);

  [[nodiscard]] double bytes_per_second() const { return rate_; }

 private:
  std::optional<Time> last_;
  std::uint64_t position_ = 0;
  double rate_ = 0;
};

/// Over all of `took`; 0 if that is too short to say.
[[nodiscard]] double average_rate(std::uint64_t bytes, std::chrono::milliseconds took);

}  // namespace zpost::cli
