// Waiting in tests: for a condition, never for a time.
#pragma once

#include <chrono>
#include <thread>

namespace zpost::test {

using namespace std::chrono_literals;

/// Generous: reached only when something is broken. Sanitized builds on busy machines are slow.
inline constexpr std::chrono::milliseconds kPatience = 20s;

/// True as soon as `condition` holds; false if it does not within `patience`.
template <typename Condition>
[[nodiscard]] bool wait_until(Condition condition, std::chrono::milliseconds patience = kPatience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

}  // namespace zpost::test
