#include "tools/inspect/replay_schedule.h"

#include <algorithm>

namespace zpost::inspect {

using std::chrono::duration;
using std::chrono::duration_cast;

void ReplaySchedule::begin(ReplayTime now) {
  next_ = 0;
  move_to(0, now);
}

std::optional<std::size_t> ReplaySchedule::take(ReplayTime now) {
  if (is_over()) return std::nullopt;
  if (paused_) {
    if (steps_ == 0) return std::nullopt;
    --steps_;
    move_to(std::max(position_, offset(next_)), now);
    return next_++;
  }
  if (speed_ > 0 && offset(next_) > position(now)) return std::nullopt;
  return next_++;
}

std::optional<ReplayTime> ReplaySchedule::due() const {
  if (is_over() || (paused_ && steps_ == 0)) return std::nullopt;
  return when(offset(next_));
}

bool ReplaySchedule::has_reached(std::size_t place, std::uint64_t time_ns, ReplayTime now) const {
  if (next_ < place) return false;
  // Nothing moves the position on any more.
  if (speed_ == 0 || (paused_ && is_over())) return true;
  return position(now) >= offset_of(time_ns);
}

std::optional<ReplayTime> ReplaySchedule::when_at(std::uint64_t time_ns) const {
  if (paused_) return std::nullopt;
  return when(offset_of(time_ns));
}

ReplayTime ReplaySchedule::when(double offset) const {
  const double wait = paused_ || speed_ == 0 ? 0 : (offset - position_) / speed_;
  // A recording may be as long as it likes, a clock's numbers may not.
  constexpr double kLongest = 1e18;
  const duration<double, std::nano> bounded(std::clamp(wait, 0.0, kLongest));
  return since_ + duration_cast<ReplayTime::duration>(bounded);
}

void ReplaySchedule::pause(ReplayTime now) {
  if (paused_) return;
  move_to(position(now), now);
  paused_ = true;
}

void ReplaySchedule::go_on(ReplayTime now) {
  if (!paused_) return;
  paused_ = false;
  steps_ = 0;
  since_ = now;
}

std::uint64_t ReplaySchedule::skip(std::uint64_t count, ReplayTime now) {
  const std::uint64_t skipped = std::min<std::uint64_t>(count, offsets_.size() - next_);
  if (skipped == 0) return 0;
  next_ += skipped;
  move_to(std::max(position(now), offset(next_ - 1)), now);
  return skipped;
}

double ReplaySchedule::position(ReplayTime now) const {
  if (paused_) return position_;
  return position_ + duration<double, std::nano>(now - since_).count() * speed_;
}

double ReplaySchedule::offset(std::size_t place) const {
  return static_cast<double>(offsets_[place] - offsets_.front());
}

double ReplaySchedule::offset_of(std::uint64_t time_ns) const {
  return static_cast<double>(time_ns - std::min(time_ns, offsets_.front()));
}

void ReplaySchedule::move_to(double position, ReplayTime now) {
  position_ = position;
  since_ = now;
}

}  // namespace zpost::inspect
