// Turns SIGINT and SIGTERM into an exception at the next wait, so that destructors stop every
// process the bench started.
#pragma once

#include <chrono>

namespace zpost::bench {

using Clock = std::chrono::steady_clock;  // CLOCK_MONOTONIC: comparable between processes.

/// Thrown by the waiting functions below after SIGINT or SIGTERM.
struct Interrupted {
  int signal = 0;
};

/// Installs the handlers. Call once, at the start of main.
void catch_interrupts();

/// Gives both signals their default action again. For a child process, after fork.
void restore_interrupts();

/// Throws Interrupted if a signal has arrived.
void check_interrupt();

/// Sleeps for `duration`. Throws Interrupted.
void pause_for(std::chrono::microseconds duration);

/// Polls `condition` every `interval` until it holds (true) or `deadline` has passed (false).
/// Throws Interrupted.
template <typename Condition>
[[nodiscard]] bool wait_until(Clock::time_point deadline, std::chrono::microseconds interval,
                              Condition condition) {
  while (!condition()) {
    if (Clock::now() >= deadline) return false;
    pause_for(interval);
  }
  return true;
}

}  // namespace zpost::bench
