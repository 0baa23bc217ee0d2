// Requests and calls that wait for their reply. SPEC.md, section 17.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <unordered_map>
#include <utility>
#include <vector>

#include "broker/core/session.h"
#include "broker/core/slots.h"

namespace zpost::core {

using ExchangeId = std::uint32_t;
using ServiceId = std::uint32_t;

/// A request or a call, from its arrival until its outcome is known and no copy of it is under way.
struct Exchange {
  NameId caller = kBrokerName;
  std::uint64_t id = 0;
  SessionId asker = kNone;       // The caller's session, while it is open.
  SessionId holder = kNone;      // Who has it, or is sent it; kNone: nobody yet.
  std::uint64_t deadline = 0;    // By the broker's clock; 0: none.
  std::int64_t received_ns = 0;  // Steady.
  bool open = false;             // Its outcome is not known yet.

  // Of a call.
  ServiceId service = kNone;  // kNone: it is a request.
  PairIndex pair = kNone;
  std::uint64_t cost = 0;
  std::uint64_t number = 0;  // Of its entry in the pair's Unsettled.
  std::uint32_t attempts = 0;
  bool idempotent = false;
  bool settled = false;    // With the pair.
  bool queued = false;     // In the service's queue.
  bool in_stream = false;  // In its holder's stream, not taken yet.
  ByteBuffer bytes;        // The envelope, as long as it may have to be sent again.

  ExchangeId next_asked = kNone;  // Of the same asker, and
  ExchangeId next_held = kNone;   // of the same holder: lists in both directions.
  ExchangeId previous_asked = kNone;
  ExchangeId previous_held = kNone;
};

/// All exchanges, by number and by their caller's name and id. Thread: one.
class Exchanges {
 public:
  /// A new one that is open, in its asker's list.
  [[nodiscard]] ExchangeId open(NameId caller, std::uint64_t id, Session& asker);

  [[nodiscard]] Exchange& operator[](ExchangeId exchange) { return slots_[exchange]; }

  /// The open one of this caller; kNone if there is none.
  [[nodiscard]] ExchangeId find(NameId caller, std::uint64_t id) const;

  /// Puts it into the holder's list.
  void hold(ExchangeId exchange, Session& holder);
  /// Takes it out of its holder's list.
  void let_go(ExchangeId exchange, Session& holder);

  /// Its outcome is known: it is not found any more and in nobody's list. Stays until free().
  /// REQUIRES: it is open and has no holder.
  void close(ExchangeId exchange, Session& asker);

  void free(ExchangeId exchange) { slots_.free(exchange); }

  /// From now on due() names it once its deadline has passed.
  void set_deadline(ExchangeId exchange, std::uint64_t deadline);

  /// The next open exchange whose deadline is not after `clock`; kNone if there is none.
  [[nodiscard]] ExchangeId due(std::uint64_t clock);

  /// No deadline is earlier; UINT64_MAX: there is none.
  [[nodiscard]] std::uint64_t next_deadline() const {
    return deadlines_.empty() ? UINT64_MAX : deadlines_.front().when;
  }

  [[nodiscard]] std::size_t size() const { return by_key_.size(); }

 private:
  struct Key {
    NameId caller;
    std::uint64_t id;

    bool operator==(const Key&) const = default;
  };

  struct KeyHash {
    std::size_t operator()(const Key& key) const {
      std::uint64_t hash = (key.id ^ std::uint64_t{key.caller} << 40) * 0x9e3779b97f4a7c15;
      return hash ^ hash >> 32;
    }
  };

  /// In a heap, the earliest first. Those of closed exchanges stay until they are due, or until
  /// they are too many.
  struct Deadline {
    std::uint64_t when;
    ExchangeId exchange;
    std::uint64_t id;

    bool operator>(const Deadline& other) const { return when > other.when; }
  };

  using Link = ExchangeId Exchange::*;

  void link(ExchangeId exchange, std::uint32_t& head, Link next, Link previous);
  void unlink(ExchangeId exchange, std::uint32_t& head, Link next, Link previous);
  [[nodiscard]] bool is_stale(const Deadline& deadline) const;
  void drop_stale();

  Slots<Exchange> slots_;
  std::pmr::unsynchronized_pool_resource nodes_;  // Of by_key_: they come and go with every call.
  std::pmr::unordered_map<Key, ExchangeId, KeyHash> by_key_{&nodes_};
  std::vector<Deadline> deadlines_;
};

}  // namespace zpost::core
