// The net shell in a test: does what broker/core/action.h says, with strings for bytes, virtual
// time, pipes that fill up and connections that die. Checks that the core keeps to the contract.
#pragma once

#include <concepts>
#include <cstdint>
#include <deque>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "broker/core/router.h"

namespace zpost::core::test {

/// The core broke its contract with the shell, or an invariant. what() says how.
class Broken : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// Throws Broken with `what` unless `claim` holds.
void require(bool claim, std::string_view what);

/// The same, for what is claimed so often that its text is made only if it is needed.
template <typename Tell>
requires std::invocable<Tell>

void require(bool claim, const Tell& tell) {
  if (!claim) throw Broken(tell());
}

/// One router and everything around it. Turns go as the broker's do: read, tell what is gone, tick,
/// flush, tell what was executed. Nothing happens on its own: step with turn(), settle(),
/// advance().
class World {
 public:
  static constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

  explicit World(const Limits& limits = {}, BrokerIdentity identity = default_identity());

  [[nodiscard]] static BrokerIdentity default_identity();

  // --- Connections, as peers see them ----------------------------------------------------------

  /// A new connection of a peer called `name`. Numbers of forgotten ones are used again.
  [[nodiscard]] ConnectionId connect(std::string_view name);
  /// A socket whose identity is not NAME~TOKEN.
  [[nodiscard]] ConnectionId connect_unnamed();
  /// Sends a frame to the broker, which reads it in a later turn.
  void send(ConnectionId connection, std::string frame);
  /// The same for one that libzmq had read before it told of the connection's end.
  void send_late(ConnectionId connection, std::string frame);
  void send_multipart(ConnectionId connection);
  /// The frames that arrived, oldest first; at most `count`.
  [[nodiscard]] std::vector<std::string> receive(ConnectionId connection,
                                                 std::size_t count = kNoLimit);
  /// How many frames the pipe to the peer takes before it is full.
  void set_room(ConnectionId connection, std::size_t frames);
  /// The broker learns in its next turn that it is gone; what it sent is read before or `late`
  /// after that, what it did not receive is lost.
  void lose(ConnectionId connection, bool late = false);
  /// What it sent and was not read yet is lost as well.
  void lose_sent(ConnectionId connection);
  /// A half-open connection: what is sent to it is lost, and nobody is told.
  void mute(ConnectionId connection);
  /// The identity comes back on another descriptor: the shell tells of a handover before its next
  /// frame.
  void hand_over(ConnectionId connection);
  /// The slot is free for another connection.
  void forget(ConnectionId connection);

  /// Differs for every use of the slot.
  [[nodiscard]] std::uint64_t use_of(ConnectionId connection) const { return uses_.at(connection); }

  /// The peer can still use it. What arrived can be read either way.
  [[nodiscard]] bool alive(ConnectionId connection) const;
  [[nodiscard]] std::size_t unread(ConnectionId connection) const;
  [[nodiscard]] bool expelled(ConnectionId connection) const;

  // --- Turns and time --------------------------------------------------------------------------

  /// One turn: reads what was sent in order of sending, at most `frames`.
  void turn(std::size_t frames = kNoLimit);
  /// Turns until nothing is left to do at this moment.
  void settle();
  /// Lets time pass, with a turn at each of the router's deadlines.
  void advance(std::int64_t ns);

  /// The broker's clock begins there if nothing has happened yet.
  void set_wall(std::uint64_t ns) {
    now_.wall_ns = ns;
    if (lists_ == 0) start_.wall_ns = ns;
  }

  /// The broker's clock, for deadlines.
  [[nodiscard]] std::uint64_t clock() const {
    return start_.wall_ns + static_cast<std::uint64_t>(now_.steady_ns - start_.steady_ns);
  }

  /// Whether wall time goes with steady time. On by default.
  void set_wall_runs(bool runs) { wall_runs_ = runs; }

  [[nodiscard]] Now now() const { return now_; }

  // --- The router ------------------------------------------------------------------------------

  void drain();
  void farewell();
  [[nodiscard]] bool send_from_broker(SessionId session, std::string_view body);

  [[nodiscard]] Router& router() { return router_; }

  [[nodiscard]] const Router& router() const { return router_; }

  /// Lines logged since the last call.
  [[nodiscard]] std::vector<std::string> take_log();
  [[nodiscard]] std::vector<TapNote> take_tap();

  // --- What the shell holds --------------------------------------------------------------------

  struct Held {
    std::size_t bundles = 0;
    std::uint64_t bytes = 0;
    std::uint64_t payload = 0;      // Envelopes that accounting counts,
    std::uint64_t maybe_taken = 0;  // of which so many may be taken already.
  };

  [[nodiscard]] Held held() const;
  [[nodiscard]] std::uint64_t largest_queue() const;
  /// The session bound to a connection; kNone if there is none.
  [[nodiscard]] SessionId session_of(ConnectionId connection) const;

  [[nodiscard]] std::size_t tap_requests() const { return tap_requests_; }

  [[nodiscard]] std::size_t whole_frames() const { return whole_frames_; }

  [[nodiscard]] std::size_t lists() const { return lists_; }

 private:
  struct Link {
    enum class State : std::uint8_t { kLive, kMute, kGone, kForgotten };

    std::string name;
    bool named = true;
    State state = State::kLive;
    bool expelled = false;
    bool handover = false;
    bool loss_due = false;
    bool loss_first = false;
    std::int64_t expel_at = kNever;
    std::size_t room = kNoLimit;
    std::size_t readable = 0;  // Of the frames on their way to the broker.
    std::deque<std::string> inbox;
  };

  struct Sent {
    ConnectionId connection = kNone;
    std::uint64_t use = 0;  // Of the slot.
    bool multipart = false;
    std::string frame;
  };

  struct HeldBundle {
    std::string bytes;
    std::uint64_t charged = 0;
    std::uint64_t payload = 0;
  };

  struct Queue {
    bool exists = false;
    bool open = false;
    ConnectionId connection = kNone;
    std::size_t handed = 0;
    std::uint64_t bytes = 0;    // Charged for all its bundles, and
    std::uint64_t payload = 0;  // what they hold.
    std::deque<HeldBundle> bundles;
    std::deque<HeldBundle> topics;
    bool topics_open = false;
  };

  void read(Sent sent);
  void tell_gone(bool before_reading);
  void shut_expelled();
  void apply(std::string_view frame);
  void execute(std::string_view frame);
  void execute(const Action& action, std::string_view frame);
  void append(Queue& queue, std::string_view bytes, bool fresh);
  void append_topics(Queue& queue, std::string_view bytes, bool fresh);
  static void fill(Queue& queue, HeldBundle& bundle, std::string_view bytes);
  static void remove_front(Queue& queue, std::deque<HeldBundle>& bundles);
  void enqueue(Queue& queue);
  void drop_oldest(Queue& queue, std::uint32_t count);
  void transmit(const Action& action);
  void release(Queue& queue, std::uint32_t count);
  void rewind(const Action& action);
  void control(const Action& action, std::string_view bytes);
  void drop(SessionId session);
  void expel(ConnectionId connection);
  [[nodiscard]] bool deliver(ConnectionId connection, std::string_view bytes);
  [[nodiscard]] Blocked& block(SessionId session);
  [[nodiscard]] bool blocked(SessionId session) const;
  void unblock(SessionId session);
  [[nodiscard]] Queue& queue(SessionId session);
  [[nodiscard]] Link& link(ConnectionId connection);
  void after_step();

  Router router_;
  Now start_{.steady_ns = kSecond, .wall_ns = 100};
  Now now_ = start_;
  bool wall_runs_ = true;
  Actions out_;
  std::vector<Link> links_;
  std::vector<std::uint64_t> uses_;  // By link.
  std::deque<Sent> sent_;
  std::vector<Queue> queues_;
  std::vector<Blocked> blocked_;
  std::vector<ConnectionId> unreachable_;
  std::vector<std::string> log_;
  std::vector<TapNote> tap_;
  std::size_t tap_requests_ = 0;
  std::size_t whole_frames_ = 0;
  std::size_t lists_ = 0;
};

}  // namespace zpost::core::test
