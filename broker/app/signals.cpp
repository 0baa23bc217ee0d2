#include "broker/app/signals.h"

#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

namespace zpost::app {

Signals::Signals() {
  // A reader of our output that goes away is no reason to die.
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  fd_ = ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "signalfd");
}

Signals::~Signals() {
  ::close(fd_);
}

int Signals::take() {
  int count = 0;
  signalfd_siginfo info{};
  while (::read(fd_, &info, sizeof info) == sizeof info) ++count;
  return count;
}

}  // namespace zpost::app
