// Finds connections that make libzmq hold what the broker cannot read.
#pragma once

#include <cstdint>
#include <vector>

#include "broker/net/connections.h"

namespace zpost::net {

/// A connection whose bytes are with libzmq, unread.
struct Hoarder {
  int fd = -1;
  std::uint32_t generation = 0;
  ConnectionId connection = kNone;  // kNone: it has no slot.
  std::uint64_t bytes = 0;
};

/// Bytes of a connection that may be with libzmq.
struct HoardingLimits {
  std::uint64_t unread = 0;    // What credit allows to be on the way.
  std::uint64_t stranger = 0;  // The same for who has no slot, and so no credit.
  std::uint64_t stuck = 0;     // Of what stays there though all that can be read was read.
};

/// TCP connections beyond a limit. A message of endless parts does that: its parts count towards
/// none of libzmq's limits, and none can be read before the last. Each is looked at as well: what
/// is stuck then is known at the next call, if the socket, which ran dry `dries` times, does so
/// again. One system call or two for each connection: not for every turn.
[[nodiscard]] std::vector<Hoarder> find_hoarders(Connections& connections,
                                                 const HoardingLimits& limits, std::uint64_t dries);

/// Looks at some connections from descriptor `next` on, so that heartbeats of weeks do not add up
/// to a hoard (wire_count.h). Returns the descriptor to go on with.
[[nodiscard]] std::size_t look_around(Connections& connections, std::size_t next,
                                      std::uint64_t dries);

}  // namespace zpost::net
