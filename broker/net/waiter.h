// Waits for the next message, a wake-up or a deadline.
#pragma once

#include <cstdint>

#include "broker/net/receiver.h"
#include "broker/net/spin_budget.h"
#include "broker/net/wake.h"

namespace zpost::net {

/// Thread: routing only.
class Waiter {
 public:
  /// `other_fd` is one more descriptor to wait for; -1: none. Whoever owns it reads it.
  Waiter(RouterSocket& socket, Receiver& receiver, Wake& wake, int other_fd);

  /// Returns when there is a message, the wake was signalled, `other_fd` is readable, or at
  /// `deadline` (steady ns), whichever is first; now and then without a reason.
  void wait(std::int64_t deadline);

 private:
  [[nodiscard]] bool spin(std::int64_t start, std::int64_t end);
  void sleep(std::int64_t deadline);

  RouterSocket& socket_;
  Receiver& receiver_;
  Wake& wake_;
  const int other_fd_;
  SpinBudget budget_;
};

}  // namespace zpost::net
