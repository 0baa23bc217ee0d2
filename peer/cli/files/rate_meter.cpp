#include "peer/cli/files/rate_meter.h"

#include <cmath>

namespace zpost::cli {

void RateMeter::note(std::uint64_t position, Time now) {
  constexpr std::chrono::duration<double> kSmoothing{1.5};
  if (!last_ || position < position_) {
    rate_ = 0;
  } else {
    const std::chrono::duration<double> passed = now - *last_;
    if (passed.count() < 0.05) return;  // Too little to say anything.
    const double rate = static_cast<double>(position - position_) / passed.count();
    const double weight = rate_ == 0 ? 1 : 1 - std::exp(-passed / kSmoothing);
    rate_ += weight * (rate - rate_);
  }
  last_ = now;
  position_ = position;
}

double average_rate(std::uint64_t bytes, std::chrono::milliseconds took) {
  constexpr std::chrono::milliseconds kTooShort{100};
  return took < kTooShort ? 0 : static_cast<double>(bytes) * 1000 / double(took.count());
}

}  // namespace zpost::cli
