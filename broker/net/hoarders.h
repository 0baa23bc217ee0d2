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
  ConnectionId connection = kNone;  // kNone: nothing was ever read from it.
  std::uint64_t bytes = 0;
};

/// TCP connections with more than `limit` bytes (`stranger_limit` for those of which nothing was
/// ever read, which have no credit) that came in and cannot be read. A message of
/// endless parts does that: its parts count towards none of libzmq's limits, and none can be read
/// before the last. The kernel counts what came in, we count what we read. One system call or two
/// for each connection: not for every turn.
[[nodiscard]] std::vector<Hoarder> find_hoarders(const Connections& connections,
                                                 std::uint64_t limit, std::uint64_t stranger_limit);

}  // namespace zpost::net
