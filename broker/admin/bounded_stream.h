// A connection of the HTTP server that can neither last nor grow.
#pragma once

#include <httplib.h>

#include <chrono>
#include <cstddef>
#include <string>

namespace zpost::admin {

/// Ends a request after a number of bytes and a time, however slowly or much is sent: the library
/// bounds neither the headers nor the whole. Thread: one.
class BoundedStream : public httplib::Stream {
 public:
  struct Bounds {
    std::size_t request_bytes = 16 << 10;
    std::chrono::milliseconds time{5'000};  // Until the answer is sent.
  };

  /// Becomes readable when all is to end; -1: never. The descriptors are the caller's.
  BoundedStream(int socket, int stop_fd, Bounds bounds);

  [[nodiscard]] bool is_readable() const override;
  [[nodiscard]] bool is_writable() const override;
  ssize_t read(char* data, std::size_t size) override;
  ssize_t write(const char* data, std::size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;

  [[nodiscard]] socket_t socket() const override { return socket_; }

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] bool wait(short events) const;

  const int socket_;
  const int stop_fd_;
  const Clock::time_point deadline_;
  std::size_t left_;  // Bytes that may still be read.
};

}  // namespace zpost::admin
