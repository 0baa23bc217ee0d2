// Messages from the socket, with the connection each came from.
#pragma once

#include <zmq.h>

#include <cstdint>
#include <string_view>

#include "broker/net/connections.h"
#include "broker/net/monitor.h"
#include "broker/net/router_socket.h"
#include "zpost/protocol/msgpack_reader.h"

namespace zpost::net {

/// One message. Valid until the next receive().
struct Incoming {
  enum class Kind : std::uint8_t {
    kDry,          // There is none.
    kIgnored,      // One that nobody needs to know of.
    kFrame,        // `bytes` of `connection`, which is called `name`.
    kMultipart,    // Several parts: void.
    kBadIdentity,  // The identity is not NAME~TOKEN.
  };

  Kind kind = Kind::kDry;
  bool handover = false;  // The identity is known, the connection is another one.
  ConnectionId connection = kNone;
  ConnectionId forgotten = kNone;  // This slot's former use is over; it may be `connection`.
  std::string_view name = {};
  std::string_view address = {};  // Where a new connection comes from; empty: as before.
  Bytes bytes = {};
  zmq_msg_t* message = nullptr;  // Whose content `bytes` is.
};

/// Thread: routing only.
class Receiver {
 public:
  Receiver(RouterSocket& socket, Connections& connections, Monitor& monitor);
  ~Receiver();
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  /// The next message. One call reads at most kMaxParts parts.
  [[nodiscard]] Incoming receive(std::int64_t now);

  /// Whether receive() would find something. After false, and only then, the socket's descriptor
  /// may be slept on.
  [[nodiscard]] bool ready();

  /// The monitor's events up to now, applied to the table.
  void collect_events();

  /// How often the socket ran dry so far.
  [[nodiscard]] std::uint64_t dries() const { return dries_; }

  /// Connections that found no room in the table, so far.
  [[nodiscard]] std::uint64_t refused() const { return refused_; }

 private:
  static constexpr int kMaxParts = 1024;

  void identify(Incoming& incoming, std::int64_t now);
  void identify_slowly(Incoming& incoming, Anchor anchor, std::int64_t now);
  void drain_parts();

  RouterSocket& socket_;
  Connections& connections_;
  Monitor& monitor_;
  zmq_msg_t identity_{};
  zmq_msg_t body_{};
  bool has_identity_ = false;  // ready() read the first part already.
  bool draining_ = false;      // In the middle of a message of many parts, of `draining_from_`.
  ConnectionId draining_from_ = kNone;
  std::vector<ConnectionEvent> events_;
  std::uint64_t dries_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace zpost::net
