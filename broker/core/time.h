// Time as the core sees it: a parameter, never a clock.
#pragma once

#include <cstdint>

namespace zpost::core {

/// A moment, read once per turn by the shell. Steady time drives every timer; wall time is only for
/// ids and for people.
struct Now {
  std::int64_t steady_ns = 0;  // Must not decrease.
  std::uint64_t wall_ns = 0;   // Since 1970; may jump either way.
};

inline constexpr std::int64_t kNever = INT64_MAX;
inline constexpr std::int64_t kMillisecond = 1'000'000;
inline constexpr std::int64_t kSecond = 1'000 * kMillisecond;

}  // namespace zpost::core
