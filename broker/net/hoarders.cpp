#include "broker/net/hoarders.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstddef>

namespace zpost::net {

namespace {

/// What a TCP connection brought into this process so far; 0 for other descriptors.
std::uint64_t bytes_received(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return 0;
  if (size < offsetof(tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received) return 0;
  int in_kernel = 0;
  ::ioctl(fd, SIOCINQ, &in_kernel);
  const auto waiting = static_cast<std::uint64_t>(in_kernel);
  return info.tcpi_bytes_received > waiting ? info.tcpi_bytes_received - waiting : 0;
}

// A round of 10,000 connections takes three minutes: some KiB of heartbeats each.
constexpr std::size_t kLooks = 64;

}  // namespace

std::vector<Hoarder> find_hoarders(Connections& connections, const HoardingLimits& limits,
                                   std::uint64_t dries) {
  std::vector<Hoarder> found;
  const auto visit = [&](int fd, std::uint32_t generation, ConnectionId id, WireCount& wire) {
    const std::uint64_t received = bytes_received(fd);
    const std::uint64_t unread = wire.unread(received);
    const std::uint64_t limit = id == kNone ? limits.stranger : limits.unread;
    if (unread > limit || wire.stuck(dries) > limits.stuck) {
      found.push_back({fd, generation, id, unread});
    }
    wire.look(received, dries);
  };
  connections.for_each_descriptor(0, connections.descriptors(), visit);
  return found;
}

std::size_t look_around(Connections& connections, std::size_t next, std::uint64_t dries) {
  if (next >= connections.descriptors()) next = 0;
  connections.for_each_descriptor(next, next + kLooks,
                                  [&](int fd, std::uint32_t, ConnectionId, WireCount& wire) {
                                    wire.look(bytes_received(fd), dries);
                                  });
  return next + kLooks;
}

}  // namespace zpost::net
