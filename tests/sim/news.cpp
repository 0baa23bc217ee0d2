#include "tests/sim/news.h"

#include <fmt/format.h>

#include <algorithm>

#include "zpost/protocol/names.h"

namespace zpost::sim {

using core::test::FakePeer;
using core::test::require;

// ---- Publishers
// ----------------------------------------------------------------------------------

void News::on_sent(const EnvelopeFields& fields) {
  const Key key{std::string(fields.from), fields.id};
  Notice& notice = notices_[key];
  notice.topic = fields.to;
  notice.retain = fields.meta.retain;
  notice.needs_subscriber = (fields.meta.wanted & kWantSubscriber) != 0;
  notice.sent_at = ++seen_;
  ++published_[notice.topic];
  if (notice.retain) values_[notice.topic].push_back(key);
}

void News::on_told(std::string_view from, std::uint64_t id, const OutcomeNotice& notice) {
  Notice& it = notices_.at({std::string(from), id});
  const std::string what =
      fmt::format("#{} from {} on {}: {}", id, from, it.topic, outcome_name(notice.code));
  if (notice.code == Outcome::kDelivered) {
    require(notice.count.has_value(), what + ", but not how often");
    require(it.arrived <= *notice.count,
            fmt::format("{} to {}, but {} got it", what, *notice.count, it.arrived));
    it.queues = *notice.count;
    it.counted = true;
    it.settled_at = ++seen_;
    return;
  }
  require(notice.code != Outcome::kNoSubscriber || it.needs_subscriber,
          what + ", which it did not mind");
  require(it.arrived == 0, what + ", but somebody got it");
  it.refused = true;
}

void News::on_settled(std::string_view from, std::uint64_t id) {
  notices_.at({std::string(from), id}).settled_at = ++seen_;
}

// ---- Subscribers
// ---------------------------------------------------------------------------------

void News::on_interest(const FakePeer& peer, Kind kind, Bytes body) {
  if (kind != Kind::kSubscribe) return;
  const auto wanted = decode_subscribe(body);
  require(bool(wanted), "an honest peer's subscription cannot be read");
  Subscriber& it = subscribers_[peer.epoch()];
  ++it.subscribed;
  Interest& interest = it.patterns[std::string(wanted->pattern)];
  interest.wants_own |= !wanted->excludes_own;
  if (interest.since == 0) interest.since = ++seen_;
}

void News::on_arrived(const FakePeer& peer, const EnvelopeView& view) {
  const Key key{std::string(view.from), view.id};
  const std::string what =
      fmt::format("#{} from {} on {}, at {}", view.id, view.from, view.to, peer.name());
  const auto known = notices_.find(key);
  require(known != notices_.end() && known->second.topic == view.to,
          what + ": it was never published");
  Notice& notice = known->second;
  require(!notice.refused, what + ": it arrived after its outcome");
  Subscriber& subscriber = subscribers_[peer.epoch()];
  const bool own = view.from == peer.name();
  const bool wanted = std::ranges::any_of(subscriber.patterns, [&](const auto& each) {
    return matches_topic_pattern(each.first, view.to) && (!own || each.second.wants_own);
  });
  const auto meta = read_meta(view);
  require(bool(meta), what + ": its meta cannot be read");
  // Who does not want its own has its own values all the same.
  const bool matches = std::ranges::any_of(subscriber.patterns, [&](const auto& each) {
    return matches_topic_pattern(each.first, view.to);
  });
  require(meta->retained ? matches : wanted, what + ": it did not subscribe to that");
  if (meta->retained) return check_value(notice, subscriber, what);
  check_news(key, notice, subscriber, what);
  check_total(subscriber, peer.name());
}

void News::check_news(const Key& key, Notice& notice, Subscriber& subscriber,
                      std::string_view what) {
  require(subscriber.arrived.insert(key).second, fmt::format("{}: it arrived twice", what));
  std::uint64_t& last = subscriber.last[key.first];
  require(key.second > last, fmt::format("{}: it arrived after #{}", what, last));
  last = key.second;
  ++notice.arrived;
  require(
      !notice.counted || notice.arrived <= notice.queues,
      fmt::format("{}: {} got it, its publisher was told {}", what, notice.arrived, notice.queues));
  ++subscriber.news;
}

/// Not older than one that was settled before the peer subscribed, and sent after this was settled.
void News::check_value(const Notice& notice, const Subscriber& subscriber,
                       std::string_view what) const {
  require(notice.retain, fmt::format("{}: nobody said to retain it", what));
  if (notice.settled_at == 0) return;
  std::uint64_t since = UINT64_MAX;
  for (const auto& [pattern, interest] : subscriber.patterns) {
    if (matches_topic_pattern(pattern, notice.topic)) since = std::min(since, interest.since);
  }
  for (const Key& key : values_.at(notice.topic)) {
    const Notice& other = notices_.at(key);
    const bool newer = other.sent_at > notice.settled_at && !other.refused;
    require(!newer || other.settled_at == 0 || other.settled_at > since,
            fmt::format("{}: an old value, #{} from {} was there", what, key.second, key.first));
  }
}

void News::on_gap(const FakePeer& peer, std::uint64_t count) {
  require(count > 0, peer.name() + " is told of a gap of nothing");
  Subscriber& subscriber = subscribers_[peer.epoch()];
  subscriber.missed += count;
  check_total(subscriber, peer.name());
}

/// Gaps count retained values, too.
void News::check_total(const Subscriber& subscriber, std::string_view name) const {
  std::uint64_t possible = strange_;
  for (const auto& published : published_) {
    const bool matches = std::ranges::any_of(subscriber.patterns, [&](const auto& each) {
      return matches_topic_pattern(each.first, published.first);
    });
    if (matches) possible += published.second;
  }
  if (subscriber.missed > 0) possible += subscriber.subscribed * values_.size();
  require(subscriber.news + subscriber.missed <= possible,
          fmt::format("{} got {} publishes and missed {} of {}", name, subscriber.news,
                      subscriber.missed, possible));
}

std::vector<std::string> News::patterns(std::uint64_t epoch) const {
  std::vector<std::string> all;
  const auto known = subscribers_.find(epoch);
  if (known == subscribers_.end()) return all;
  for (const auto& [pattern, interest] : known->second.patterns) all.push_back(pattern);
  return all;
}

std::uint64_t News::heard(std::uint64_t epoch) const {
  const auto known = subscribers_.find(epoch);
  return known == subscribers_.end() ? 0 : known->second.news + known->second.missed;
}

}  // namespace zpost::sim
