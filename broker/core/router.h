// Decides who receives what, and tells senders what became of it. SPEC.md, sections 5 to 9.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "broker/core/accounting.h"
#include "broker/core/action.h"
#include "broker/core/limits.h"
#include "broker/core/metrics.h"
#include "broker/core/tap_filter.h"
#include "broker/core/time.h"

namespace zpost::core {

/// What the flight recorder holds, for people who ask.
struct RecorderNumbers {
  std::uint64_t bytes = 0;
  std::uint64_t limit = 0;      // Bytes; 0: it is off.
  std::uint64_t oldest_ns = 0;  // The time of its oldest record; 0: it has none.
};

/// The broker's heart: a pure state machine. No sockets, files, threads, clocks or logs.
///
/// Each call applies one event and appends its consequences to `out`, which refer to the frame
/// given and to out.arena; the shell executes them before it makes the next call. Equal histories
/// give equal actions. Thread: the routing thread only.
class Router {
 public:
  Router(const Limits& limits, BrokerIdentity identity);
  ~Router();
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  /// A frame came from `connection`, whose identity carries `name` (a valid name). A frame of zero
  /// bytes is only a sign of life. The bytes must stay until the actions are executed.
  void on_frame(ConnectionId connection, std::string_view name, Bytes frame, Now now, Actions& out);

  /// A message of several parts came from `connection`.
  void on_multipart(ConnectionId connection, Now now, Actions& out);

  /// A message came from a connection whose identity is not NAME~TOKEN.
  void on_bad_identity(ConnectionId connection, Now now, Actions& out);

  /// The connection is gone, or cannot be reached (EHOSTUNREACH). Frames of it may still come.
  /// Unknown ones are ignored.
  void on_disconnected(ConnectionId connection, Now now, Actions& out);

  /// Another descriptor spoke under the identity of `connection`: it must say hello again.
  void on_handover(ConnectionId connection, Now now, Actions& out);

  /// Where the connection comes from, for people.
  void set_address(ConnectionId connection, std::string_view address);

  /// The slot will be used for another connection: the core forgets its number.
  void on_connection_forgotten(ConnectionId connection);

  /// The end of a turn: the socket ran dry or the batch is full. Hands over what waits and may go,
  /// sends outcomes, receipts and credit.
  void flush(Now now, Actions& out);

  /// After a list was executed: what met a full pipe. Always called after flush(), with an empty
  /// span if nothing did, since handing over settles what goes to recipients without acks.
  void on_executed(std::span<const Blocked> blocked, Now now, Actions& out);

  /// Timers: heartbeats, silence, resume, challenges, late receipts, blocked pipes. Call when
  /// next_deadline() has passed; earlier calls do no harm.
  void tick(Now now, Actions& out);

  /// When tick() is next needed, in steady ns; kNever if not.
  [[nodiscard]] std::int64_t next_deadline() const;

  /// Stops taking hellos and payload (outcome `draining`); says goodbye to everyone once what was
  /// sent to them is acknowledged. drained() tells when nothing is left.
  void drain(Now now, Actions& out);
  /// Drain, but say goodbye now, whatever is held.
  void farewell(Now now, Actions& out);
  [[nodiscard]] bool drained() const;

  /// Sends `body` from the broker to a session, as a `send` with a content type. False, and nothing
  /// happens, if the session is gone or its window is full.
  bool send_from_broker(SessionId session, std::string_view content_type, Bytes body, Now now,
                        Actions& out);

  /// Who knows the filter language. Before it is told, no filter is taken.
  void set_filter_check(FilterCheck check);
  /// Which tap notes are made.
  void set_tap(TapDetail detail);
  /// What the process uses beyond what the core counts, in bytes, told by the shell about once a
  /// second: above the memory limit no hello is welcomed and no credit grows.
  void set_process_memory(std::uint64_t bytes);

  /// What the flight recorder holds, told by the shell about once a second, for who asks.
  void set_recorder(RecorderNumbers numbers);

  /// The name for a number in a tap note; empty if it is unknown by now. 0 is the broker.
  [[nodiscard]] std::string_view name_of(std::uint32_t number) const;
  [[nodiscard]] const Accounting& accounting() const;
  /// All numbers for metrics. Looks at every session: for a few calls a second.
  [[nodiscard]] Metrics metrics() const;
  /// Whether lately somebody sent with a newcomer's credit beside somebody with much: the one
  /// should not wait for the other.
  [[nodiscard]] bool senders_differ() const;
  /// Sessions of peers, active or away.
  [[nodiscard]] std::size_t sessions() const;
  /// Names that may come back from an earlier run, for which something waits. SPEC.md, section 6.
  [[nodiscard]] std::size_t expected() const;
  /// Calls that wait for a worker: held, in no peer's queue.
  [[nodiscard]] std::size_t waiting_calls() const;
  /// Bytes held in queues, by the core's count.
  [[nodiscard]] std::uint64_t held_bytes() const;
  /// Of these, gap marks: small, and all that may be held beyond limits.memory.
  [[nodiscard]] std::uint64_t gap_bytes() const;
  /// Senders and the recipients they dealt with lately.
  [[nodiscard]] std::size_t pairs() const;
  /// Above every id seen or given so far: what the state file must stay ahead of.
  [[nodiscard]] std::uint64_t id_floor() const;
  [[nodiscard]] const Limits& limits() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace zpost::core
