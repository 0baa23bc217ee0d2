// When recorded envelopes are sent again. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace zpost::inspect {

using ReplayTime = std::chrono::steady_clock::time_point;

/// Gives one envelope after the other as it is time for it. The recording has a position, which
/// moves at a speed, stands still, or is moved on step by step.
class ReplaySchedule {
 public:
  /// `offsets`: when each is sent, in ns of the recording, in this order. `speed`: recorded time in
  /// real time; 0: as fast as they are taken.
  ReplaySchedule(std::vector<std::uint64_t> offsets, double speed)
      : offsets_(std::move(offsets)), speed_(speed) {}

  /// From the beginning, with the first one due at once.
  void begin(ReplayTime now);

  /// The place of one that is due, which is then the next one's turn. Nothing: wait.
  [[nodiscard]] std::optional<std::size_t> take(ReplayTime now);

  /// When the next one is due; nothing: none will be until somebody does something.
  [[nodiscard]] std::optional<ReplayTime> due() const;

  /// Whether the recording is at `time_ns`, before the envelope of this place.
  [[nodiscard]] bool has_reached(std::size_t place, std::uint64_t time_ns, ReplayTime now) const;

  /// When it will be there by itself; nothing: not before somebody does something.
  [[nodiscard]] std::optional<ReplayTime> when_at(std::uint64_t time_ns) const;

  [[nodiscard]] bool is_over() const { return next_ == offsets_.size(); }

  /// The place of the next one; of none, how many there are.
  [[nodiscard]] std::size_t next() const { return next_; }

  void pause(ReplayTime now);
  void go_on(ReplayTime now);

  [[nodiscard]] bool is_paused() const { return paused_; }

  /// While it stands still: lets so many more go, whatever the time. The position goes with them.
  void step(std::uint64_t count) { steps_ += count; }

  /// Passes over so many without sending them; the position goes with them. Returns how many.
  std::uint64_t skip(std::uint64_t count, ReplayTime now);

 private:
  [[nodiscard]] double position(ReplayTime now) const;
  [[nodiscard]] double offset(std::size_t place) const;
  [[nodiscard]] double offset_of(std::uint64_t time_ns) const;
  [[nodiscard]] ReplayTime when(double offset) const;
  void move_to(double position, ReplayTime now);

  const std::vector<std::uint64_t> offsets_;
  const double speed_;
  std::size_t next_ = 0;
  double position_ = 0;  // In ns since the first one, at `since_`.
  ReplayTime since_{};
  bool paused_ = false;
  std::uint64_t steps_ = 0;
};

}  // namespace zpost::inspect
