#include "tests/sim/witness.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace zpost::sim {

using core::test::FakePeer;
using core::test::require;

namespace {

/// What an honest peer can never be told: it keeps to the page.
bool is_own_fault(Outcome outcome) {
  switch (outcome) {
    case Outcome::kDuplicate:
    case Outcome::kOverCredit:
    case Outcome::kForged:
    case Outcome::kMalformed:
    case Outcome::kBadName:
    case Outcome::kBadId:
      return true;
    default:
      return false;
  }
}

}  // namespace

Witness::Letter& Witness::letter(std::string_view from, std::uint64_t id) {
  const auto at = letters_.find({std::string(from), id});
  require(at != letters_.end(), fmt::format("{} never sent #{}", from, id));
  return at->second;
}

void Witness::on_sent(const FakePeer& peer, std::uint64_t id, std::string_view to) {
  const bool added = letters_.try_emplace({peer.name(), id}, Letter{std::string(to)}).second;
  require(added, fmt::format("{} sent #{} twice: first_id was too low", peer.name(), id));
}

void Witness::on_arrived(const FakePeer& peer, const EnvelopeView& view) {
  if (view.from.empty()) return check_answer(view);
  if (distrusted_.count(view.from) > 0) return;
  Letter& it = letter(view.from, view.id);
  const std::string what = fmt::format("#{} from {} to {}", view.id, view.from, it.to);
  require(it.to == peer.name(), what + " arrived at " + peer.name());
  require(!it.arrived, what + " arrived twice");
  // What was handed to a connection may be read after it was settled without an ack, or lost.
  const bool may_arrive = it.outcome == Outcome::kNone || it.outcome == Outcome::kUnconfirmed ||
                          it.outcome == Outcome::kLost;
  require(may_arrive, what + " arrived after its outcome");
  it.arrived = true;
  std::uint64_t& last = last_arrived_[{std::string(view.from), peer.epoch()}];
  require(view.id > last, fmt::format("{} arrived after #{}", what, last));
  last = view.id;
}

void Witness::on_taken(const FakePeer& /*peer*/, const EnvelopeView& view) {
  if (view.from.empty() || distrusted_.count(view.from) > 0) return;
  letter(view.from, view.id).taken = true;
}

void Witness::on_failed(const FakePeer& peer, std::uint64_t id, Outcome outcome) {
  Letter& it = letter(peer.name(), id);
  const std::string what =
      fmt::format("#{} from {} to {}: {}", id, peer.name(), it.to, outcome_name(outcome));
  require(it.outcome == Outcome::kNone, what + " is its second outcome");
  require(!is_own_fault(outcome), what + ", though it was sent by the page");
  // `lost` is just what may have been taken or not.
  require(outcome == Outcome::kLost || !it.arrived, what + ", but it arrived");
  it.outcome = outcome;
}

void Witness::on_settled(const FakePeer& peer, std::uint64_t id, bool unconfirmed) {
  Letter& it = letter(peer.name(), id);
  const std::string what = fmt::format("#{} from {} to {}", id, peer.name(), it.to);
  require(it.outcome == Outcome::kNone, what + " is covered by a receipt after its outcome");
  it.outcome = unconfirmed ? Outcome::kUnconfirmed : Outcome::kDelivered;
  if (it.to.empty() || distrusted_.count(it.to) > 0) return;
  require(unconfirmed || it.taken, what + " is covered by a receipt, but nobody took it");
}

/// Some peers ask for `stats`: a look from the inside.
void Witness::check_answer(const EnvelopeView& view) const {
  const auto* begin = reinterpret_cast<const std::uint8_t*>(view.body.data());
  const auto stats = nlohmann::json::from_msgpack(begin, begin + view.body.size(), true, false);
  if (!stats.is_object() || !stats.contains("granted")) return;
  require(stats["granted"].get<std::uint64_t>() <= budget_, "more credit than the budget");
  const auto& counters = stats["counters"];
  const auto sum = [&](std::initializer_list<const char*> keys) {
    std::uint64_t total = 0;
    for (const char* key : keys) total += counters[key].get<std::uint64_t>();
    return total;
  };
  require(sum({"received", "copies"}) == sum({"delivered", "unconfirmed", "held", "failed"}),
          "stats do not balance");
}

}  // namespace zpost::sim
