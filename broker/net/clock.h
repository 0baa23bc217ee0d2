// The clocks, read once per turn.
#pragma once

#include <ctime>

#include "broker/core/time.h"

namespace zpost::net {

[[nodiscard]] inline std::int64_t to_ns(const timespec& time) {
  return time.tv_sec * core::kSecond + time.tv_nsec;
}

[[nodiscard]] inline timespec to_timespec(std::int64_t ns) {
  return {ns / core::kSecond, ns % core::kSecond};
}

[[nodiscard]] inline std::int64_t steady_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return to_ns(time);
}

[[nodiscard]] inline core::Now read_clocks() {
  timespec wall{};
  ::clock_gettime(CLOCK_REALTIME, &wall);
  return {steady_ns(), static_cast<std::uint64_t>(to_ns(wall))};
}

}  // namespace zpost::net
