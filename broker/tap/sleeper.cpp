#include "broker/tap/sleeper.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace zpost::tap {

Sleeper::Sleeper() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

Sleeper::~Sleeper() {
  ::close(fd_);
}

void Sleeper::call() noexcept {
  // The reader looks once more after it said that it sleeps: one of the two sees the other.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (asleep_.load(std::memory_order_relaxed) && asleep_.exchange(false)) hurry();
}

void Sleeper::hurry() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(fd_, &one, sizeof one);
}

void Sleeper::wait(int milliseconds) noexcept {
  pollfd wanted{fd_, POLLIN, 0};
  if (::poll(&wanted, 1, milliseconds) <= 0) return;
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t bytes = ::read(fd_, &count, sizeof count);
}

}  // namespace zpost::tap
