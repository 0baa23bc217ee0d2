#include "tools/bench/pace.h"

#include <cmath>

namespace zpost::bench {

std::uint64_t Pace::due_after(std::chrono::nanoseconds elapsed) const {
  if (elapsed.count() < 0) return 0;
  const double seconds = std::chrono::duration<double>(elapsed).count();
  return static_cast<std::uint64_t>(seconds * per_second_) + 1;
}

std::chrono::nanoseconds Pace::time_of(std::uint64_t sequence) const {
  const double nanoseconds = static_cast<double>(sequence) / per_second_ * 1e9;
  return std::chrono::nanoseconds(static_cast<std::int64_t>(std::ceil(nanoseconds)));
}

}  // namespace zpost::bench
