// Which connection a message came from.
#pragma once

#include <zmq.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/core/action.h"
#include "broker/net/monitor.h"
#include "broker/net/wire_count.h"

namespace zpost::net {

using core::ConnectionId;
using core::kNone;

/// What tells one connection from another under the same identity. libzmq gives every connection
/// one set of properties (zmq_msg_gets), shared by all its messages, so the place of a property in
/// memory names the connection as long as one of its messages is kept.
using Anchor = const char*;

/// A ZeroMQ identity and the descriptor it last spoke from.
struct Connection {
  enum class State : std::uint8_t { kFree, kLive, kGone };

  std::string identity;   // Its token is a secret: never in a log.
  std::string_view name;  // Of `identity`; empty if that is not NAME~TOKEN.
  State state = State::kFree;
  bool expelled = false;  // Its frames are ignored until another connection takes its place.
  int fd = -1;
  std::uint32_t generation = 0;
  Anchor anchor = nullptr;
  zmq_msg_t kept{};          // Its identity as a message, which keeps the anchor unique.
  std::uint64_t serial = 0;  // Differs from that of any other use of the slot.
  std::int64_t gone_at = 0;
  WireCount wire;
};

/// The table of slots. Bounded: what is gone makes room first, then those with a bad identity.
/// Thread: routing only.
class Connections {
 public:
  static constexpr std::int64_t kKeepGone = core::kSecond;
  static constexpr std::size_t kMaxUnnamed = 1024;

  explicit Connections(std::size_t limit) : limit_(limit) {}

  ~Connections();
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  /// The slot of a connection that is linked; kNone if it is not remembered.
  [[nodiscard]] ConnectionId find(Anchor anchor) const;
  [[nodiscard]] ConnectionId find(std::string_view identity) const;

  [[nodiscard]] Connection& operator[](ConnectionId id) { return slots_[id]; }

  [[nodiscard]] const Connection& operator[](ConnectionId id) const { return slots_[id]; }

  /// False for numbers out of the table and for free slots.
  [[nodiscard]] bool exists(ConnectionId id) const {
    return id < slots_.size() && slots_[id].state != Connection::State::kFree;
  }

  struct Made {
    ConnectionId id = kNone;         // kNone: no room.
    ConnectionId forgotten = kNone;  // The slot that made room, if one had to.
  };

  /// A slot for a new identity. link() must follow.
  [[nodiscard]] Made make(std::string_view identity);

  /// The slot's identity now speaks from this connection. Takes `kept`, its identity as it
  /// came with a message.
  void link(ConnectionId id, int fd, Anchor anchor, zmq_msg_t& kept);

  /// What the monitor says. A connection that went away is told by take_gone().
  void on_event(const ConnectionEvent& event);

  /// Appends the slots that lost their connection since the last call. Call after the frames of a
  /// turn: libzmq tells of the end before the last frames are read.
  void take_gone(std::int64_t now, std::vector<ConnectionId>& gone);

  /// Frees the slots that are gone for long enough, if `dry_at`, when the socket last ran dry, says
  /// that none of their frames is left. Appends their numbers.
  void forget_gone(std::int64_t now, std::int64_t dry_at, std::vector<ConnectionId>& forgotten);

  /// Of the newest connection on this descriptor.
  [[nodiscard]] std::uint32_t generation(int fd) { return state_of(fd).generation; }

  /// Slots at most.
  [[nodiscard]] std::size_t limit() const { return limit_; }

  /// Slots in use.
  [[nodiscard]] std::size_t size() const { return by_identity_.size(); }

  /// Descriptors seen so far are below this.
  [[nodiscard]] std::size_t descriptors() const { return fds_.size(); }

  /// Calls visit(fd, generation, slot, wire) for every open descriptor in [begin, end); the slot is
  /// kNone if nothing was ever read from it, or it had to make room.
  template <typename Visit>
  void for_each_descriptor(std::size_t begin, std::size_t end, Visit visit) {
    for (std::size_t i = begin; i < std::min(end, fds_.size()); ++i) {
      FdState& state = fds_[i];
      if (state.generation == 0 || state.gone) continue;
      const int fd = static_cast<int>(i);
      const auto found = by_descriptor_.find(key(fd, state.generation));
      if (found == by_descriptor_.end()) {
        visit(fd, state.generation, kNone, state.wire);
      } else {
        visit(fd, state.generation, found->second, slots_[found->second].wire);
      }
    }
  }

 private:
  /// One use of a slot.
  struct Use {
    ConnectionId id = kNone;
    std::uint64_t serial = 0;
  };

  struct FdState {
    std::uint32_t generation = 0;
    bool gone = false;
    WireCount wire = {};  // While no slot stands for the descriptor.
  };

  [[nodiscard]] static std::uint64_t key(int fd, std::uint32_t generation) {
    return std::uint64_t{static_cast<std::uint32_t>(fd)} << 32 | generation;
  }

  [[nodiscard]] static std::size_t cache_slot(Anchor anchor) {
    return (reinterpret_cast<std::uintptr_t>(anchor) >> 5) * 0x9e3779b97f4a7c15U >> 54;
  }

  [[nodiscard]] FdState& state_of(int fd);
  [[nodiscard]] ConnectionId make_room(bool named);
  [[nodiscard]] ConnectionId pop_oldest(std::deque<Use>& uses);
  void unlink(Connection& connection);
  void free(ConnectionId id);

  const std::size_t limit_;
  std::deque<Connection> slots_;  // Never moved: views into identities stay valid.
  std::vector<ConnectionId> free_;
  std::unordered_map<std::string_view, ConnectionId> by_identity_;
  std::unordered_map<std::uint64_t, ConnectionId> by_descriptor_;
  mutable std::array<ConnectionId, 1024> cache_{};  // By anchor; checked before it is believed.
  std::vector<FdState> fds_;
  std::vector<Use> going_;
  std::deque<Use> gone_;     // Oldest first; may name slots that came back.
  std::deque<Use> unnamed_;  // The same.
  std::size_t unnamed_count_ = 0;
  std::uint64_t next_serial_ = 1;
};

}  // namespace zpost::net
