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

}  // namespace

std::vector<Hoarder> find_hoarders(const Connections& connections, std::uint64_t limit,
                                   std::uint64_t stranger_limit) {
  std::vector<Hoarder> found;
  connections.for_each_descriptor([&](int fd, std::uint32_t generation, ConnectionId id) {
    const std::uint64_t received = bytes_received(fd);
    const std::uint64_t read = id == kNone ? 0 : connections[id].wire_bytes;
    if (received > read + (id == kNone ? stranger_limit : limit))
      found.push_back({fd, generation, id, received - read});
  });
  return found;
}

}  // namespace zpost::net
