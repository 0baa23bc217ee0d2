// Knows what honest peers asked, who was given it, and how it ended.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/broker/core/support/fake_peer.h"

namespace zpost::sim {

/// Requests and calls. Throws core::test::Broken when one goes to who does not offer the service or
/// has no room for it, is given to somebody again without need, ends twice, or ends as it cannot
/// have.
class Exchanges {
 public:
  /// The caller's name and the id.
  using Key = std::pair<std::string, std::uint64_t>;

  // --- Callers ---------------------------------------------------------------------------------

  void on_sent(const EnvelopeFields& fields);

  void on_cancelled(const Key& key) { exchanges_.at(key).cancelled = true; }

  /// A receipt says that somebody took it.
  void on_taken(const Key& key) { exchanges_.at(key).taken = true; }

  /// It failed, or ended without a reply.
  void on_ended(const core::test::FakePeer& caller, std::uint64_t id, Outcome outcome);
  /// A reply of an honest peer arrived.
  void on_reply(const core::test::FakePeer& caller, const EnvelopeView& view);

  // --- Those who are asked ---------------------------------------------------------------------

  void on_interest(const core::test::FakePeer& peer, Kind kind, Bytes body);
  /// A request or a call of an honest peer arrived, for the first time in this session.
  void on_arrived(const core::test::FakePeer& peer, const EnvelopeView& view);
  void on_cancel(const core::test::FakePeer& peer, const EnvelopeView& view);
  /// It sent a reply: the last one, unless `more`.
  void on_answered(const core::test::FakePeer& peer, const Key& key, bool more);

  /// What this session was given and did not answer yet.
  [[nodiscard]] std::vector<Key> in_hand(const core::test::FakePeer& peer) const;

 private:
  struct Exchange {
    Kind kind = Kind::kRequest;
    std::string to;
    std::uint64_t deadline = 0;
    bool idempotent = false;
    bool cancelled = false;
    bool taken = false;
    Outcome outcome = Outcome::kNone;
    std::set<std::string, std::less<>> given_to;
    std::set<std::uint64_t> attempts;
    std::uint64_t replies = 0;  // Last ones.
  };

  /// A session of one that is asked.
  struct Worker {
    std::map<std::string, std::uint64_t, std::less<>> capacity;  // The largest said, by service.
    std::set<Key> given;
    std::set<Key> in_hand;
    std::set<Key> answered;  // In part at least: if that reply fails, it is over.
  };

  void check_call(Exchange& call, const Worker& worker, const EnvelopeView& view,
                  std::string_view what);

  std::map<Key, Exchange> exchanges_;
  std::map<std::uint64_t, Worker> workers_;  // By epoch.
};

}  // namespace zpost::sim
