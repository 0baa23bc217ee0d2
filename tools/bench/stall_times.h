// How long a receiver stands still, and what the server makes of it.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace zpost::bench {

enum class StallMode {
  kBelow,   // Shorter than the silence that makes it away: nothing is noticed.
  kAway,    // Away, but back in time to resume.
  kBeyond,  // Given up: what was meant for it is lost, and it starts anew.
};

/// "below", "away" or "beyond".
std::string_view word_for(StallMode mode);

struct StallTimes {
  std::chrono::milliseconds stop{15'000};     // How long the receiver stands still.
  std::chrono::milliseconds silence{20'000};  // See Limits, as the next.
  std::chrono::milliseconds resume{30'000};

  [[nodiscard]] StallMode mode() const;
};

/// Times that someone has decided on; the others are free.
struct WantedTimes {
  std::optional<std::chrono::milliseconds> stop = {};
  std::optional<std::chrono::milliseconds> silence = {};
  std::optional<std::chrono::milliseconds> resume = {};
};

/// The defaults of StallTimes, or with a mode times that make a short run of that mode, with what
/// is wanted in place of them. The wanted times may make it another mode: compare mode().
StallTimes choose_times(std::optional<StallMode> mode, const WantedTimes& wanted);

}  // namespace zpost::bench
