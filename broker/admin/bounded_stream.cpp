#include "broker/admin/bounded_stream.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace zpost::admin {

namespace {

using NameOf = int (*)(int, sockaddr*, socklen_t*);

void read_address(NameOf name_of, int socket, std::string& ip, int& port) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  auto* const address = reinterpret_cast<sockaddr*>(&storage);
  if (name_of(socket, address, &size) != 0) return;
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (storage.ss_family == AF_INET) {
    const auto* const ipv4 = reinterpret_cast<const sockaddr_in*>(&storage);
    ::inet_ntop(AF_INET, &ipv4->sin_addr, text.data(), text.size());
    port = ntohs(ipv4->sin_port);
  } else {
    const auto* const ipv6 = reinterpret_cast<const sockaddr_in6*>(&storage);
    ::inet_ntop(AF_INET6, &ipv6->sin6_addr, text.data(), text.size());
    port = ntohs(ipv6->sin6_port);
  }
  ip = text.data();
}

}  // namespace

BoundedStream::BoundedStream(int socket, int stop_fd, Bounds bounds)
    : socket_(socket),
      stop_fd_(stop_fd),
      deadline_(Clock::now() + bounds.time),
      left_(bounds.request_bytes) {}

/// False: the time is over, or all is to end.
bool BoundedStream::wait(short events) const {
  using std::chrono::milliseconds;
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline_ - Clock::now());
    if (left <= milliseconds::zero()) return false;
    std::array<pollfd, 2> fds{{{socket_, events, 0}, {stop_fd_, POLLIN, 0}}};
    const int ready = ::poll(fds.data(), fds.size(), static_cast<int>(left.count()));
    if (ready < 0 && errno == EINTR) continue;
    return ready > 0 && fds[1].revents == 0;
  }
}

bool BoundedStream::is_readable() const {
  return left_ > 0 && wait(POLLIN);
}

bool BoundedStream::is_writable() const {
  return wait(POLLOUT);
}

ssize_t BoundedStream::read(char* data, std::size_t size) {
  if (!is_readable()) return -1;
  const ssize_t got = ::recv(socket_, data, std::min(size, left_), MSG_DONTWAIT);
  if (got > 0) left_ -= static_cast<std::size_t>(got);
  return got;
}

ssize_t BoundedStream::write(const char* data, std::size_t size) {
  if (!is_writable()) return -1;
  return ::send(socket_, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void BoundedStream::get_remote_ip_and_port(std::string& ip, int& port) const {
  read_address(::getpeername, socket_, ip, port);
}

void BoundedStream::get_local_ip_and_port(std::string& ip, int& port) const {
  read_address(::getsockname, socket_, ip, port);
}

}  // namespace zpost::admin
