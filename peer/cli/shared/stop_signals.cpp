#include "peer/cli/shared/stop_signals.h"

#include <unistd.h>

#include <atomic>
#include <csignal>

namespace zpost::cli {
namespace {

std::atomic<peer::Peer*> interrupted = nullptr;
std::atomic<bool> asked_to_stop = false;

static_assert(std::atomic<peer::Peer*>::is_always_lock_free);

extern "C" void stop(int signal) {
  constexpr int kKilledBy = 128;  // As shells report it.
  if (asked_to_stop.exchange(true)) ::_exit(kKilledBy + signal);
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
  asked_to_stop = false;
  interrupted = &peer;
  set_handler(stop);
}

StopSignals::~StopSignals() {
  interrupted = nullptr;
}

bool StopSignals::asked() const {
  return asked_to_stop;
}

}  // namespace zpost::cli
