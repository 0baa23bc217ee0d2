#include "peer/cli/signal_descriptor.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>

namespace zpost::cli {

SignalDescriptor::SignalDescriptor(std::initializer_list<int> signals) {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : signals) ::sigaddset(&set, signal);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  descriptor_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

SignalDescriptor::~SignalDescriptor() {
  ::close(descriptor_);
}

int SignalDescriptor::next() {
  signalfd_siginfo info = {};
  if (::read(descriptor_, &info, sizeof info) != sizeof info) return 0;
  return static_cast<int>(info.ssi_signo);
}

}  // namespace zpost::cli
