// Plain TCP sockets on 127.0.0.1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace zpost::bench {

/// A file descriptor that is closed with its owner.
class Descriptor {
 public:
  explicit Descriptor(int value = -1) : value_(value) {}

  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;

  [[nodiscard]] int value() const { return value_; }

  [[nodiscard]] bool valid() const { return value_ >= 0; }

 private:
  int value_;
};

/// A listening socket on a free port. Throws std::system_error, as all functions here.
Descriptor listen_on_loopback();

std::uint16_t port_of(const Descriptor& socket);

/// A port that was free a moment ago.
std::uint16_t free_port();

/// Blocks for a connection; TCP_NODELAY is set.
Descriptor accept_connection(const Descriptor& listener);

/// Connects with TCP_NODELAY.
Descriptor connect_to_loopback(std::uint16_t port);

/// Whether a connection to `port` is accepted right now.
bool accepts_connections(std::uint16_t port);

/// Blocks until all is written or read. Throws if the other end is closed.
void write_all(const Descriptor& socket, std::span<const std::byte> bytes);
void read_all(const Descriptor& socket, std::span<std::byte> bytes);

/// Reads what there is, at least one byte; 0 when the other end is closed.
std::size_t read_some(const Descriptor& socket, std::span<std::byte> bytes);

}  // namespace zpost::bench
