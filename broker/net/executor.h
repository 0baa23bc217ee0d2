// Does what the core decided: keeps the bundles of every session and hands them to libzmq.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "broker/core/action.h"
#include "broker/net/bundle_queue.h"
#include "broker/net/connections.h"
#include "broker/net/receiver.h"
#include "broker/net/router_socket.h"
#include "broker/net/traffic.h"

namespace zpost::net {

/// Thread: routing only.
class Executor {
 public:
  Executor(RouterSocket& socket, Connections& connections, Monitor& monitor, ChunkPool& pool)
      : socket_(socket),
        connections_(connections),
        monitor_(monitor),
        pool_(pool),
        shared_append_(pool) {}

  /// Executes the list in order, but for kTap, kRecall and kUntap, which are the tap's. `incoming`
  /// is the message of this step, or null.
  void execute(const core::Actions& actions, const Incoming* incoming, std::int64_t now);

  /// Gives back the memory of what libzmq has let go of. Call about once a second.
  void trim();

  /// What met a full pipe in the last list; what could not be reached at all counts as well, and is
  /// in unreachable().
  [[nodiscard]] std::span<const core::Blocked> blocked() const { return blocked_; }

  [[nodiscard]] std::span<const ConnectionId> unreachable() const { return unreachable_; }

  /// Whether the last list had one of those.
  [[nodiscard]] bool has_tap_actions() const { return has_tap_actions_; }

  /// What was handed to libzmq so far.
  [[nodiscard]] const Traffic& sent() const { return sent_; }

 private:
  static constexpr std::int64_t kExpelGrace = core::kSecond;

  struct Outbox {
    explicit Outbox(ChunkPool& pool) : queue(pool), topics(pool) {}

    BundleQueue queue;
    BundleQueue topics;
    ConnectionId connection = kNone;
    std::uint64_t serial = 0;   // Of the connection's slot when it was bound.
    std::uint32_t blocked = 0;  // Its place in blocked_ plus one; 0: nothing blocked in this list.
  };

  [[nodiscard]] Outbox& outbox(core::SessionId session);
  /// Where an action's bytes go.
  [[nodiscard]] BundleQueue& queue_of(const core::Action& action);
  void append(const core::Action& action, Bytes bytes);
  void bind(Outbox& box, ConnectionId connection);
  void transmit(core::SessionId session);
  void control(ConnectionId connection, core::SessionId session, Bytes bytes);
  void drop(core::SessionId session);
  void expel(ConnectionId connection, std::int64_t now);
  [[nodiscard]] bool send(ConnectionId connection, zmq_msg_t& message);
  [[nodiscard]] core::Blocked& block(Outbox& box, core::SessionId session);
  void unblock(Outbox& box);
  void end_list();

  RouterSocket& socket_;
  Connections& connections_;
  Monitor& monitor_;
  ChunkPool& pool_;
  SharedAppend shared_append_;
  std::deque<Outbox> outboxes_;  // By session; never moved.
  std::vector<core::Blocked> blocked_;
  std::vector<ConnectionId> unreachable_;
  bool has_tap_actions_ = false;
  Traffic sent_;
};

}  // namespace zpost::net
