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

bool is_question(Kind kind) {
  return kind == Kind::kRequest || kind == Kind::kCall;
}

/// What ends a request that somebody may have, or may get yet.
bool ends_exchange(Outcome outcome) {
  return outcome == Outcome::kExpired || outcome == Outcome::kCancelled ||
         outcome == Outcome::kNoReply;
}

bool is_will(const EnvelopeView& view) {
  const auto meta = read_meta(view);
  return meta && meta->will;
}

}  // namespace

Witness::Letter& Witness::letter(std::string_view from, std::uint64_t id) {
  const auto at = letters_.find({std::string(from), id});
  require(at != letters_.end(), fmt::format("{} never sent #{}", from, id));
  return at->second;
}

void Witness::on_sent(const FakePeer& peer, const EnvelopeFields& fields) {
  const Letter letter{.kind = fields.kind, .to = std::string(fields.to)};
  const bool added = letters_.try_emplace({peer.name(), fields.id}, letter).second;
  require(added, fmt::format("{} sent #{} twice: first_id was too low", peer.name(), fields.id));
  if (fields.kind == Kind::kPublish) news_.on_sent(fields);
  if (is_question(fields.kind)) exchanges_.on_sent(fields);
}

void Witness::on_interest(const FakePeer& peer, Kind kind, Bytes body) {
  news_.on_interest(peer, kind, body);
  exchanges_.on_interest(peer, kind, body);
  if (kind == Kind::kWatch) presences_.on_watch(peer, body);
}

void Witness::on_will(const std::string& name, const Will& will) {
  wills_[name] = will;
  if (will.kind == Kind::kPublish) news_.add_strange(1);
}

void Witness::on_arrived(const FakePeer& peer, const EnvelopeView& view) {
  if (view.kind() == Kind::kGap) return news_.on_gap(peer, decode_gap(view.body)->count);
  if (view.kind() == Kind::kPresence) return presences_.on_arrived(peer, view);
  if (view.from.empty()) return check_answer(view);
  if (is_will(view)) return check_will(peer, view);
  if (distrusted_.count(view.from) > 0) return;
  if (view.kind() == Kind::kPublish) return news_.on_arrived(peer, view);
  if (view.kind() == Kind::kCancel) return exchanges_.on_cancel(peer, view);
  if (is_question(view.kind())) exchanges_.on_arrived(peer, view);
  if (view.kind() == Kind::kCall) return;
  on_letter_arrived(peer, view);
  if (view.kind() == Kind::kReply) exchanges_.on_reply(peer, view);
}

void Witness::check_will(const FakePeer& peer, const EnvelopeView& view) const {
  const std::string what = fmt::format("a will of {} at {}", view.from, peer.name());
  const auto known = wills_.find(view.from);
  require(known != wills_.end(), what + ", who left none");
  const Will& will = known->second;
  require(
      view.kind() == will.kind && view.to == will.to && as_text(view.body) == as_text(will.body),
      what + " is not as it was written");
}

void Witness::on_letter_arrived(const FakePeer& peer, const EnvelopeView& view) {
  Letter& it = letter(view.from, view.id);
  const std::string what = fmt::format("#{} from {} to {}", view.id, view.from, it.to);
  require(it.to == peer.name(), what + " arrived at " + peer.name());
  require(!it.arrived, what + " arrived twice");
  // What was handed to a connection may be read after it was settled without an ack, or lost.
  const bool may_arrive = it.outcome == Outcome::kNone || it.outcome == Outcome::kUnconfirmed ||
                          it.outcome == Outcome::kLost || ends_exchange(it.outcome);
  require(may_arrive, what + " arrived after its outcome");
  it.arrived = true;
  std::uint64_t& last = last_arrived_[{std::string(view.from), peer.epoch()}];
  require(view.id > last, fmt::format("{} arrived after #{}", what, last));
  last = view.id;
}

void Witness::on_taken(const FakePeer& /*peer*/, const EnvelopeView& view) {
  if (view.from.empty() || distrusted_.count(view.from) > 0) return;
  if (view.kind() == Kind::kPublish || is_will(view)) return;
  letter(view.from, view.id).taken = true;
}

void Witness::on_told(const FakePeer& peer, std::uint64_t id, const OutcomeNotice& notice) {
  const Outcome outcome = notice.code;
  Letter& it = letter(peer.name(), id);
  const std::string what =
      fmt::format("#{} from {} to {}: {}", id, peer.name(), it.to, outcome_name(outcome));
  require(it.outcome == Outcome::kNone, what + " is its second outcome");
  require(!is_own_fault(outcome), what + ", though it was sent by the page");
  // `lost` is just what may have been taken or not.
  require(outcome == Outcome::kLost || ends_exchange(outcome) || !it.arrived,
          what + ", but it arrived");
  it.outcome = outcome;
  if (it.kind == Kind::kPublish) return news_.on_told(peer.name(), id, notice);
  require(!is_success(outcome), what + ", which a receipt says");
  require(!ends_exchange(outcome) || is_question(it.kind), what + ", and it asks nothing");
  if (is_question(it.kind) && !it.to.empty()) exchanges_.on_ended(peer, id, outcome);
}

void Witness::on_ended(const FakePeer& peer, std::uint64_t id, Outcome outcome) {
  exchanges_.on_ended(peer, id, outcome);
}

void Witness::on_settled(const FakePeer& peer, std::uint64_t id, bool unconfirmed) {
  Letter& it = letter(peer.name(), id);
  const std::string what = fmt::format("#{} from {} to {}", id, peer.name(), it.to);
  require(it.outcome == Outcome::kNone, what + " is covered by a receipt after its outcome");
  it.outcome = unconfirmed ? Outcome::kUnconfirmed : Outcome::kDelivered;
  if (it.kind == Kind::kPublish) {
    require(!unconfirmed, what + " is unconfirmed: nobody is asked to confirm it");
    return news_.on_settled(peer.name(), id);
  }
  if (is_question(it.kind) && !unconfirmed) exchanges_.on_taken({peer.name(), id});
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
