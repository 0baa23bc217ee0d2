#include "tools/bench/stall_times.h"

namespace zpost::bench {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

// Servers look at the clock now and then, and a busy machine is late: times that must not be
// reached are further off than those that must.
constexpr milliseconds kShort = 1s;
constexpr milliseconds kWellAbove = 30s;

StallTimes times_for(StallMode mode, std::optional<milliseconds> stop) {
  switch (mode) {
    case StallMode::kBelow: {
      const milliseconds stands = stop.value_or(3s);
      return {.stop = stands, .silence = stands + kWellAbove, .resume = kWellAbove};
    }
    case StallMode::kAway: {
      const milliseconds stands = stop.value_or(4s);
      return {.stop = stands, .silence = kShort, .resume = stands + kWellAbove};
    }
    case StallMode::kBeyond:
      break;
  }
  return {.stop = stop.value_or(5s), .silence = kShort, .resume = kShort};
}

}  // namespace

std::string_view word_for(StallMode mode) {
  switch (mode) {
    case StallMode::kBelow:
      return "below";
    case StallMode::kAway:
      return "away";
    case StallMode::kBeyond:
      break;
  }
  return "beyond";
}

StallMode StallTimes::mode() const {
  if (stop <= silence) return StallMode::kBelow;
  return stop <= silence + resume ? StallMode::kAway : StallMode::kBeyond;
}

StallTimes choose_times(std::optional<StallMode> mode, const WantedTimes& wanted) {
  StallTimes times = mode ? times_for(*mode, wanted.stop) : StallTimes{};
  times.stop = wanted.stop.value_or(times.stop);
  times.silence = wanted.silence.value_or(times.silence);
  times.resume = wanted.resume.value_or(times.resume);
  return times;
}

}  // namespace zpost::bench
