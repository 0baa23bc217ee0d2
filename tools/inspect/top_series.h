// What `top` remembers of a number over the latest seconds. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace zpost::inspect {

/// Counts by the second. Bounded: the latest kSeconds.
class Meter {
 public:
  static constexpr std::size_t kSeconds = 60;

  void add(std::uint64_t count) { now_ += count; }

  /// The second under way has so many, whatever is added: somebody else counts better.
  void tell(std::uint64_t count) { told_ = count; }

  /// A second is over.
  void turn();

  /// Of the latest second that is over.
  [[nodiscard]] std::uint64_t rate() const { return history_[newest()]; }

  /// The latest seconds, at most `most` and kSeconds of them, oldest first.
  [[nodiscard]] std::vector<std::uint64_t> latest(std::size_t most) const;

 private:
  [[nodiscard]] std::size_t newest() const { return (next_ + kSeconds - 1) % kSeconds; }

  std::array<std::uint64_t, kSeconds> history_{};
  std::uint64_t now_ = 0;
  std::optional<std::uint64_t> told_;
  std::size_t next_ = 0;
};

/// Latencies of the latest 5 to 10 seconds, in buckets of which each is an eighth of a power of
/// two wide: what it says is at most so much too high.
class LatencyWindow {
 public:
  void add(std::uint64_t ns, std::uint64_t count);
  /// A second is over.
  void turn();

  /// The latency that `share` (0 to 1) of them do not exceed, in ns; nothing: there are none.
  [[nodiscard]] std::optional<std::uint64_t> quantile(double share) const;

  /// The longest of each of the latest seconds, in ns; 0: nothing came.
  [[nodiscard]] const Meter& worst() const { return worst_; }

 private:
  static constexpr std::size_t kFinest = 8;              // Buckets of a power of two.
  static constexpr std::size_t kBuckets = 41 * kFinest;  // Up to two hours.
  static constexpr unsigned kTurnsOfHalf = 5;

  using Histogram = std::array<std::uint32_t, kBuckets>;

  [[nodiscard]] static std::size_t bucket_of(std::uint64_t ns);
  [[nodiscard]] static std::uint64_t top_of(std::size_t bucket);

  // Made when the first latency comes: most rows have none.
  std::vector<Histogram> halves_;
  std::uint64_t worst_now_ = 0;
  unsigned turns_ = 0;
  Meter worst_;
};

}  // namespace zpost::inspect
