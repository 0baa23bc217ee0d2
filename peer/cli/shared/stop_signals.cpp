#include "peer/cli/shared/stop_signals.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <ctime>

#include "peer/cli/shared/exit_code.h"

namespace zpost::cli {
namespace {

std::atomic<peer::Peer*> interrupted = nullptr;
std::atomic<std::int64_t> asked_at_ns = 0;  // When the first signal came; 0: none has.
std::atomic<int> asked_by = 0;              // Which that was.
std::atomic<void (*)()> last_act = nullptr;

static_assert(std::atomic<peer::Peer*>::is_always_lock_free);
static_assert(std::atomic<std::int64_t>::is_always_lock_free);
static_assert(std::atomic<int>::is_always_lock_free);
static_assert(std::atomic<void (*)()>::is_always_lock_free);

/// POSIX allows this one in a signal's handler. Above 0.
std::int64_t monotonic_ns() {
  constexpr std::int64_t kNsPerSecond = 1'000'000'000;
  timespec now = {};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kNsPerSecond + now.tv_nsec + 1;
}

extern "C" void stop(int signal) {
  constexpr std::int64_t kTogetherNs = std::chrono::nanoseconds(StopSignals::kTogether).count();
  const std::int64_t now = monotonic_ns();
  std::int64_t first = 0;
  if (asked_at_ns.compare_exchange_strong(first, now)) {
    asked_by = signal;
    if (peer::Peer* const peer = interrupted.load()) peer->interrupt();
    return;
  }
  if (now - first < kTogetherNs) return;
  if (void (*const act)() = last_act.load()) act();
  ::_exit(static_cast<int>(interrupted_by(signal)));
}

void set_handler(void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

}  // namespace

StopSignals::StopSignals(peer::Peer& peer) {
  // A signal that came since an earlier one is over still counts.
  interrupted = &peer;
  set_handler(stop);
}

StopSignals::~StopSignals() {
  interrupted = nullptr;
}

int StopSignals::signal() const {
  return asked_by;
}

void StopSignals::before_exit(void (*act)()) {
  last_act = act;
}

}  // namespace zpost::cli
