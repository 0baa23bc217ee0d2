// Knows what became of every honest envelope, from both ends, and that it fits together.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "tests/broker/core/support/fake_peer.h"
#include "tests/sim/exchanges.h"
#include "tests/sim/news.h"
#include "tests/sim/presences.h"

namespace zpost::sim {

/// Throws core::test::Broken when what peers learn contradicts what happened: order per pair, one
/// final outcome per envelope, nothing delivered twice, receipts only for what was taken.
class Witness final : public core::test::Observer {
 public:
  /// `budget`: most credit the broker may grant, all together. `tells_all`: its limits leave room
  /// to tell everyone of everybody.
  Witness(std::uint64_t budget, bool tells_all) : presences_(tells_all), budget_(budget) {}

  /// A session of `name` may begin that leaves a will.
  void on_will(const std::string& name, const Will& will);

  /// Of these names nothing is known, of what they take neither.
  void distrust(const std::string& name) { distrusted_.insert(name); }

  /// Somebody who is not trusted sent something, up to so many envelopes.
  void on_mischief(std::uint64_t envelopes) { news_.add_strange(envelopes); }

  void on_sent(const core::test::FakePeer& peer, const EnvelopeFields& fields) override;
  void on_interest(const core::test::FakePeer& peer, Kind kind, Bytes body) override;
  void on_arrived(const core::test::FakePeer& peer, const EnvelopeView& view) override;
  void on_taken(const core::test::FakePeer& peer, const EnvelopeView& view) override;
  void on_told(const core::test::FakePeer& peer, std::uint64_t id,
               const OutcomeNotice& notice) override;
  void on_settled(const core::test::FakePeer& peer, std::uint64_t id, bool unconfirmed) override;

  void on_ended(const core::test::FakePeer& peer, std::uint64_t id, Outcome outcome) override;

  // What no observer sees.
  void on_cancelled(const core::test::FakePeer& caller, std::uint64_t id) {
    exchanges_.on_cancelled({caller.name(), id});
  }

  void on_answered(const core::test::FakePeer& peer, const Exchanges::Key& key, bool more) {
    exchanges_.on_answered(peer, key, more);
    // Its reply tells the caller as much as an ack tells the broker.
    if (!more && distrusted_.count(key.first) == 0) letter(key.first, key.second).taken = true;
  }

  [[nodiscard]] std::uint64_t sent() const { return letters_.size(); }

  [[nodiscard]] const News& news() const { return news_; }

  [[nodiscard]] const Exchanges& exchanges() const { return exchanges_; }

 private:
  /// The sender's name and the id: unique, over all instances of that name.
  using Key = std::pair<std::string, std::uint64_t>;

  struct Letter {
    Kind kind = Kind::kSend;
    std::string to;
    bool arrived = false;
    bool taken = false;
    Outcome outcome = Outcome::kNone;
  };

  Letter& letter(std::string_view from, std::uint64_t id);
  void check_will(const core::test::FakePeer& peer, const EnvelopeView& view) const;
  void on_letter_arrived(const core::test::FakePeer& peer, const EnvelopeView& view);
  void check_answer(const EnvelopeView& view) const;

  News news_;
  Exchanges exchanges_;
  Presences presences_;
  std::map<std::string, Will, std::less<>> wills_;  // By name.
  std::uint64_t budget_;
  std::set<std::string, std::less<>> distrusted_;
  std::map<Key, Letter> letters_;
  /// By sender and the recipient's epoch.
  std::map<std::pair<std::string, std::uint64_t>, std::uint64_t> last_arrived_;
};

}  // namespace zpost::sim
