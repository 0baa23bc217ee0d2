#include "tools/bench/loopback.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace zpost::bench {
namespace {

template <typename Result>
Result checked(Result result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

sockaddr_in loopback_address(std::uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

Descriptor new_socket() {
  return Descriptor(checked(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
}

int try_connect(const Descriptor& socket, std::uint16_t port) {
  const sockaddr_in address = loopback_address(port);
  return connect(socket.value(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
}

void set_no_delay(const Descriptor& socket) {
  const int on = 1;
  checked(setsockopt(socket.value(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), "TCP_NODELAY");
}

}  // namespace

Descriptor::~Descriptor() {
  if (valid()) close(value_);
}

Descriptor::Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(value_, other.value_);
  return *this;
}

Descriptor listen_on_loopback() {
  Descriptor listener = new_socket();
  const sockaddr_in address = loopback_address(0);
  checked(bind(listener.value(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
          "bind");
  checked(listen(listener.value(), SOMAXCONN), "listen");
  return listener;
}

std::uint16_t port_of(const Descriptor& socket) {
  sockaddr_in address = {};
  socklen_t size = sizeof(address);
  checked(getsockname(socket.value(), reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
  return ntohs(address.sin_port);
}

std::uint16_t free_port() {
  return port_of(listen_on_loopback());
}

Descriptor accept_connection(const Descriptor& listener) {
  Descriptor connection(
      checked(accept4(listener.value(), nullptr, nullptr, SOCK_CLOEXEC), "accept"));
  set_no_delay(connection);
  return connection;
}

Descriptor connect_to_loopback(std::uint16_t port) {
  Descriptor connection = new_socket();
  checked(try_connect(connection, port), "connect");
  set_no_delay(connection);
  return connection;
}

bool accepts_connections(std::uint16_t port) {
  return try_connect(new_socket(), port) == 0;
}

void write_all(const Descriptor& socket, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket.value(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    bytes = bytes.subspan(static_cast<std::size_t>(checked(sent, "send")));
  }
}

void read_all(const Descriptor& socket, std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const std::size_t count = read_some(socket, bytes);
    if (count == 0) throw std::system_error(ECONNRESET, std::generic_category(), "recv");
    bytes = bytes.subspan(count);
  }
}

std::size_t read_some(const Descriptor& socket, std::span<std::byte> bytes) {
  ssize_t count = -1;
  do {
    count = recv(socket.value(), bytes.data(), bytes.size(), 0);
  } while (count < 0 && errno == EINTR);
  return static_cast<std::size_t>(checked(count, "recv"));
}

}  // namespace zpost::bench
