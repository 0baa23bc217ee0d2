// Times that the tests of the inspector have in common, in nanoseconds.
#pragma once

#include <cstdint>

namespace zpost::inspect {

inline constexpr std::uint64_t kMs = 1'000'000;
inline constexpr std::uint64_t kSecond = 1'000 * kMs;
inline constexpr std::uint64_t kStart = 1'767'225'600 * kSecond;  // 2026 begins.

}  // namespace zpost::inspect
