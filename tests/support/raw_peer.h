// A TCP connection that speaks ZMTP 3.0 by hand: for what libzmq would not send.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>

namespace zpost::test {

class RawPeer {
 public:
  /// Connects to `tcp://127.0.0.1:PORT`. Nothing else blocks: write() shakes hands as a DEALER,
  /// too.
  RawPeer(const std::string& endpoint, const std::string& identity) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const std::string port = endpoint.substr(endpoint.rfind(':') + 1);
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(port)));
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return;

    std::string greeting("\xff\0\0\0\0\0\0\0\0\x7f\x03\0NULL", 16);
    greeting.resize(64, '\0');
    std::string ready("\x05READY");
    ready += property("Socket-Type", "DEALER") + property("Identity", identity);
    handshake_ = greeting + '\x04' + static_cast<char>(ready.size()) + ready;
  }

  ~RawPeer() { ::close(fd_); }

  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  /// Queues a part.
  void part(std::string_view content, bool more) {
    pending_ += static_cast<char>(2 | (more ? 1 : 0));  // Always with the long length.
    for (int shift = 56; shift >= 0; shift -= 8) {
      pending_ += static_cast<char>(content.size() >> shift & 0xff);
    }
    pending_ += content;
  }

  /// Queues one of libzmq's own heartbeats.
  void heartbeat() {
    std::string ping("\x04PING\0\0", 7);
    ping += "sixteen bytes...";  // The most a heartbeat may carry.
    pending_ += '\x04' + std::string(1, static_cast<char>(ping.size())) + ping;
  }

  /// Writes what the kernel takes. True: all of it.
  bool write() {
    // Nothing may follow our half of the handshake before the other half came.
    return push(handshake_) && !closed() && received_ > kGreetingBytes && push(pending_);
  }

  /// Whether the other end has closed the connection.
  bool closed() {
    std::array<char, 4096> buffer{};
    for (;;) {
      const ssize_t count = ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (count == 0) return true;
      if (count < 0) return errno != EAGAIN && errno != EINTR;
      received_ += static_cast<std::size_t>(count);
    }
  }

 private:
  static constexpr std::size_t kGreetingBytes = 64;

  bool push(std::string& bytes) const {
    while (!bytes.empty()) {
      const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.erase(0, static_cast<std::size_t>(count));
    }
    return true;
  }

  static std::string property(std::string_view name, std::string_view value) {
    std::string out(1, static_cast<char>(name.size()));
    out += name;
    out += std::string("\0\0\0", 3) + static_cast<char>(value.size());
    return out += value;
  }

  int fd_ = -1;
  std::string handshake_;
  std::string pending_;
  std::size_t received_ = 0;
};

}  // namespace zpost::test
