// Knows what became of every honest envelope, from both ends, and that it fits together.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "tests/broker/core/support/fake_peer.h"

namespace zpost::sim {

/// Throws core::test::Broken when what peers learn contradicts what happened: order per pair, one
/// final outcome per envelope, nothing delivered twice, receipts only for what was taken.
class Witness final : public core::test::Observer {
 public:
  explicit Witness(std::uint64_t budget) : budget_(budget) {}

  /// Of these names nothing is known, of what they take neither.
  void distrust(const std::string& name) { distrusted_.insert(name); }

  void on_sent(const core::test::FakePeer& peer, std::uint64_t id, std::string_view to) override;
  void on_arrived(const core::test::FakePeer& peer, const EnvelopeView& view) override;
  void on_taken(const core::test::FakePeer& peer, const EnvelopeView& view) override;
  void on_failed(const core::test::FakePeer& peer, std::uint64_t id, Outcome outcome) override;
  void on_settled(const core::test::FakePeer& peer, std::uint64_t id, bool unconfirmed) override;

  [[nodiscard]] std::uint64_t sent() const { return letters_.size(); }

 private:
  /// The sender's name and the id: unique, over all instances of that name.
  using Key = std::pair<std::string, std::uint64_t>;

  struct Letter {
    std::string to;
    bool arrived = false;
    bool taken = false;
    Outcome outcome = Outcome::kNone;
  };

  Letter& letter(std::string_view from, std::uint64_t id);
  void check_answer(const EnvelopeView& view) const;

  std::uint64_t budget_;
  std::set<std::string, std::less<>> distrusted_;
  std::map<Key, Letter> letters_;
  /// By sender and the recipient's epoch.
  std::map<std::pair<std::string, std::uint64_t>, std::uint64_t> last_arrived_;
};

}  // namespace zpost::sim
