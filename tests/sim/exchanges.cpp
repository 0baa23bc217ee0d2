#include "tests/sim/exchanges.h"

#include <fmt/format.h>

#include <algorithm>

namespace zpost::sim {

using core::test::FakePeer;
using core::test::require;

// ---- Callers
// -------------------------------------------------------------------------------------

void Exchanges::on_sent(const EnvelopeFields& fields) {
  Exchange& it = exchanges_[{std::string(fields.from), fields.id}];
  it.kind = fields.kind;
  it.to = fields.to;
  it.deadline = fields.meta.deadline_ns;
  it.idempotent = fields.meta.idempotent;
}

void Exchanges::on_ended(const FakePeer& caller, std::uint64_t id, Outcome outcome) {
  Exchange& it = exchanges_.at({caller.name(), id});
  const std::string what = fmt::format("{} #{} from {} to {}: {}", kind_name(it.kind), id,
                                       caller.name(), it.to, outcome_name(outcome));
  require(it.outcome == Outcome::kNone, what + " is its second outcome");
  it.outcome = outcome;
  switch (outcome) {
    case Outcome::kExpired:
      return require(it.deadline != 0 && it.deadline <= caller.clock(), what + " too early");
    case Outcome::kCancelled:
      return require(it.cancelled, what + " by nobody");
    case Outcome::kNoWorker:
      return require(it.kind == Kind::kCall, what + ", and it needs none");
    case Outcome::kNoPeer:
      return require(it.kind == Kind::kRequest && it.given_to.empty(), what);
    case Outcome::kFull:
      return require(it.given_to.empty(), what + ", but somebody got it");
    default:
      return;
  }
}

void Exchanges::on_reply(const FakePeer& caller, const EnvelopeView& view) {
  const auto meta = read_meta(view);
  const std::string what = fmt::format("reply #{} from {} to {}", view.id, view.from, view.to);
  require(meta && meta->in_reply_to, what + " replies to nothing");
  const auto known = exchanges_.find({caller.name(), *meta->in_reply_to});
  require(known != exchanges_.end(), what + " replies to what was never asked");
  Exchange& it = known->second;
  require(it.given_to.contains(view.from), what + " is of one that was not asked");
  if (meta->more) return;
  ++it.replies;
  const std::size_t times = std::max<std::size_t>(it.attempts.size(), 1);
  require(it.replies <= times, what + " is one too many");
}

// ---- Those who are asked
// -------------------------------------------------------------------------

void Exchanges::on_interest(const FakePeer& peer, Kind kind, Bytes body) {
  if (kind != Kind::kOffer) return;
  const auto offer = decode_offer(body);
  require(bool(offer), "an honest peer's offer cannot be read");
  std::uint64_t& capacity = workers_[peer.epoch()].capacity[std::string(offer->service)];
  capacity = std::max(capacity, offer->capacity);
}

void Exchanges::on_arrived(const FakePeer& peer, const EnvelopeView& view) {
  const Key key{std::string(view.from), view.id};
  const std::string what = fmt::format("{} #{} from {} to {}, at {}", kind_name(view.kind()),
                                       view.id, view.from, view.to, peer.name());
  const auto known = exchanges_.find(key);
  require(
      known != exchanges_.end() && known->second.kind == view.kind() && known->second.to == view.to,
      what + ": it was never sent");
  Exchange& it = known->second;
  Worker& worker = workers_[peer.epoch()];
  worker.given.insert(key);
  worker.in_hand.insert(key);
  if (it.kind == Kind::kCall) check_call(it, worker, view, what);
  it.given_to.insert(peer.name());
}

void Exchanges::check_call(Exchange& call, const Worker& worker, const EnvelopeView& view,
                           std::string_view what) {
  const auto meta = read_meta(view);
  require(bool(meta), fmt::format("{}: its meta cannot be read", what));
  const auto offered = worker.capacity.find(view.to);
  require(offered != worker.capacity.end(), fmt::format("{}: it does not offer that", what));
  const auto busy = std::ranges::count_if(worker.in_hand, [&](const Key& key) {
    const Exchange& each = exchanges_.at(key);
    return each.kind == Kind::kCall && each.to == view.to && !worker.answered.contains(key);
  });
  require(static_cast<std::uint64_t>(busy) <= offered->second,
          fmt::format("{}: it has {} in hand already", what, busy - 1));
  const std::uint64_t attempt = std::max<std::uint64_t>(meta->again, 1);
  const bool later = call.attempts.empty() || attempt > *call.attempts.rbegin();
  require(call.attempts.insert(attempt).second,
          fmt::format("{}: attempt {} was made before", what, attempt));
  require(!later || !call.taken || call.idempotent,
          fmt::format("{}: it is done again, though somebody took it", what));
  require(call.outcome != Outcome::kFull, fmt::format("{}: it had failed", what));
}

void Exchanges::on_cancel(const FakePeer& peer, const EnvelopeView& view) {
  const Key key{std::string(view.from), view.id};
  Worker& worker = workers_[peer.epoch()];
  require(worker.given.contains(key), fmt::format("{} is told to cancel #{} from {}, which it "
                                                  "never got",
                                                  peer.name(), view.id, view.from));
  worker.in_hand.erase(key);
}

void Exchanges::on_answered(const FakePeer& peer, const Key& key, bool more) {
  Worker& worker = workers_[peer.epoch()];
  worker.answered.insert(key);
  if (!more) worker.in_hand.erase(key);
}

std::vector<Exchanges::Key> Exchanges::in_hand(const FakePeer& peer) const {
  const auto known = workers_.find(peer.epoch());
  if (known == workers_.end()) return {};
  return {known->second.in_hand.begin(), known->second.in_hand.end()};
}

}  // namespace zpost::sim
