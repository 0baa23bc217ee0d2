#include "tools/bench/interrupt.h"

#include <csignal>
#include <thread>

namespace zpost::bench {
namespace {

volatile std::sig_atomic_t arrived_signal = 0;

extern "C" void remember_signal(int signal) {
  arrived_signal = signal;
}

void set_handler(void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

}  // namespace

void catch_interrupts() {
  set_handler(remember_signal);
}

void restore_interrupts() {
  set_handler(SIG_DFL);
}

void check_interrupt() {
  if (arrived_signal != 0) throw Interrupted{arrived_signal};
}

void pause_for(std::chrono::microseconds duration) {
  check_interrupt();
  std::this_thread::sleep_for(duration);
  check_interrupt();
}

}  // namespace zpost::bench
