#include "peer/cli/shared/stop_signals.h"

#include <unistd.h>

#include <atomic>
#include <csignal>

#include "peer/cli/shared/exit_code.h"

namespace zpost::cli {
namespace {

std::atomic<peer::Peer*> interrupted = nullptr;
std::atomic<int> asked_by = 0;  // The first signal.

static_assert(std::atomic<peer::Peer*>::is_always_lock_free);
std::atomic<void (*)()> last_act = nullptr;

static_assert(std::atomic<int>::is_always_lock_free);
static_assert(std::atomic<void (*)()>::is_always_lock_free);

extern "C" void stop(int signal) {
  int none = 0;
  if (!asked_by.compare_exchange_strong(none, signal)) {
    if (void (*const act)() = last_act.load()) act();
    ::_exit(static_cast<int>(interrupted_by(signal)));
  }
  if (peer::Peer* const peer = interrupted.load()) peer->interrupt();
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
