// The ZeroMQ context and its ROUTER socket, with every option a broker needs.
#pragma once

#include <zmq.h>

#include <cstdint>
#include <string>

#include "broker/core/limits.h"
#include "broker/net/endpoint.h"
#include "zpost/protocol/msgpack_reader.h"
#include "zpost/protocol/result.h"

namespace zpost::net {

struct SocketSettings {
  int io_threads = 1;
  /// Frames a connection may have read ahead before its sender is held back: with the largest frame
  /// the bound on what a peer that ignores credit can make libzmq hold. Credit bounds all others.
  int receive_frames = 512;
};

/// Owns both. Thread: routing only; no call blocks, except close().
class RouterSocket {
 public:
  /// Throws std::system_error when libzmq cannot give a socket.
  RouterSocket(const SocketSettings& settings, const core::Limits& limits);
  ~RouterSocket();
  RouterSocket(const RouterSocket&) = delete;
  RouterSocket& operator=(const RouterSocket&) = delete;

  /// Listens on `endpoint`. Returns it as libzmq resolved it. Error: one line with what to try.
  [[nodiscard]] Result<std::string> bind(const Endpoint& endpoint);

  /// Waits at most `linger_ms` until what was handed over has left, and forgets the rest.
  void close(int linger_ms);

  [[nodiscard]] void* context() const { return context_; }

  [[nodiscard]] void* handle() const { return socket_; }

  /// Readable when something may have changed. Edge-triggered: sleep on it only if the very last
  /// call on the socket was a receive that found nothing (pitfall of ZMQ_FD: a send takes the
  /// edge).
  [[nodiscard]] int fd() const { return fd_; }

  /// False: the socket ran dry. Anything else that fails is a bug and ends the program.
  [[nodiscard]] bool receive(zmq_msg_t& part);

  enum class Sent : std::uint8_t { kYes, kFull, kUnreachable };

  /// A message with a copy of `bytes`.
  static void make_message(Bytes bytes, zmq_msg_t& message);

  /// Sends `body` to whom `identity` names, which stays valid. `body` is taken if the result is
  /// kYes.
  [[nodiscard]] Sent send(zmq_msg_t& identity, zmq_msg_t& body);

 private:
  void* context_ = nullptr;
  void* socket_ = nullptr;
  int fd_ = -1;
};

}  // namespace zpost::net
