// The broker's side of ZeroMQ: messages in, the core's actions out.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "broker/core/action.h"
#include "broker/core/limits.h"
#include "broker/net/chunk_pool.h"
#include "broker/net/connections.h"
#include "broker/net/executor.h"
#include "broker/net/monitor.h"
#include "broker/net/receiver.h"
#include "broker/net/router_socket.h"
#include "broker/net/waiter.h"
#include "broker/net/wake.h"

namespace zpost::net {

/// Owns the socket, the table of connections and the bytes on their way. Thread: one, the routing
/// thread, makes every call.
class Gateway {
 public:
  /// `other_fd` ends wait() as well when it is readable. Throws std::system_error when the system
  /// has no room for a socket.
  Gateway(const SocketSettings& settings, const core::Limits& limits, int other_fd = -1);

  /// Checks what the broker relies on. Error: for people.
  [[nodiscard]] Result<void> check();

  /// Listens. Returns the endpoint with its real port. Error: one line for people.
  [[nodiscard]] Result<std::string> listen(const Endpoint& endpoint);

  /// The next message; Incoming::Kind::kDry when there is none.
  [[nodiscard]] Incoming receive(core::Now now);

  /// Executes a list, but for what is the tap's. What did not work is in blocked() and
  /// unreachable() until the next list.
  void execute(const core::Actions& actions, const Incoming* incoming, core::Now now) {
    executor_.execute(actions, incoming, now.steady_ns);
  }

  [[nodiscard]] std::span<const core::Blocked> blocked() const { return executor_.blocked(); }

  [[nodiscard]] std::span<const ConnectionId> unreachable() const {
    return executor_.unreachable();
  }

  [[nodiscard]] bool has_tap_actions() const { return executor_.has_tap_actions(); }

  /// Frames for peers handed over so far.
  [[nodiscard]] const Traffic& sent() const { return executor_.sent(); }

  /// Connections that were lost since the last call. Call after a turn's frames.
  [[nodiscard]] std::span<const ConnectionId> take_gone(core::Now now);

  /// About once a second: gives unused memory back. Returns slots whose use is over: the core must
  /// hear of it before the next receive().
  [[nodiscard]] std::span<const ConnectionId> keep_house(core::Now now);

  /// Gives all memory back that is only kept for its next use.
  void give_back_memory() { pool_.give_back_all(); }

  /// When the process uses too much memory: shuts down connections that make it hold more than
  /// their credit allows.
  void expel_hoarders(core::Now now);

  /// Until there is a message, a lost connection, the other descriptor is readable, or the
  /// deadline.
  void wait(std::int64_t deadline) { waiter_.wait(deadline); }

  /// Ends a wait(). Thread: any.
  void wake() noexcept { wake_.signal(); }

  /// Stops; what was handed over has `linger_ms` to leave.
  void close(int linger_ms);

  /// What went wrong since the last call, in words, for the log.
  [[nodiscard]] std::vector<core::LogLine> take_log();

 private:
  void say(core::LogLine::Level level, std::string text);
  void report_failures();
  [[nodiscard]] std::string file_limit_hint(int error);

  const core::Limits limits_;
  ChunkPool pool_;  // First: libzmq's context must be gone before it.
  Wake wake_;
  RouterSocket socket_;
  Monitor monitor_;
  Connections connections_;
  Receiver receiver_;
  Executor executor_;
  Waiter waiter_;
  std::int64_t dry_at_ = 0;
  std::size_t next_look_ = 0;  // The descriptor to look at next.
  std::vector<ConnectionId> gone_;
  std::vector<ConnectionId> forgotten_;
  std::vector<core::LogLine> log_;
  ConnectionFailures reported_;
  std::uint64_t reported_refused_ = 0;
  bool told_file_limit_ = false;
};

}  // namespace zpost::net
