#include "broker/net/waiter.h"

#include <poll.h>
#include <sched.h>

#include <algorithm>
#include <array>

#include "broker/net/clock.h"

namespace zpost::net {

namespace {

int usable_cores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  return ::sched_getaffinity(0, sizeof cores, &cores) == 0 ? CPU_COUNT(&cores) : 1;
}

}  // namespace

Waiter::Waiter(RouterSocket& socket, Receiver& receiver, Wake& wake, int other_fd)
    : socket_(socket),
      receiver_(receiver),
      wake_(wake),
      other_fd_(other_fd),
      budget_(usable_cores()) {}

void Waiter::wait(std::int64_t deadline) {
  const std::int64_t start = steady_ns();
  const std::int64_t budget = budget_.budget();
  if (spin(start, std::min(start + budget, deadline))) return budget_.on_gap(steady_ns() - start);
  if (budget > 0) budget_.on_gap(SpinBudget::kSpin + 1);
  sleep(deadline);
  if (budget == 0 && receiver_.ready()) budget_.on_gap(steady_ns() - start);
}

/// Looks at least once. The last look before false found nothing, so sleeping is safe.
bool Waiter::spin(std::int64_t start, std::int64_t end) {
  do {
    if (receiver_.ready()) return true;
    if (end <= start) return false;
    ::sched_yield();  // With few cores it is a peer that should run.
  } while (steady_ns() < end);
  return receiver_.ready();
}

void Waiter::sleep(std::int64_t deadline) {
  std::array<pollfd, 3> fds{
      {{socket_.fd(), POLLIN, 0}, {wake_.fd(), POLLIN, 0}, {other_fd_, POLLIN, 0}}};
  const bool forever = deadline == core::kNever;
  const timespec timeout =
      to_timespec(forever ? 0 : std::max<std::int64_t>(0, deadline - steady_ns()));
  ::ppoll(fds.data(), fds.size(), forever ? nullptr : &timeout, nullptr);
  if (fds[1].revents != 0) wake_.clear();
}

}  // namespace zpost::net
