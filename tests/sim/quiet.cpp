// The end of a history: everyone comes back, reads, takes and acknowledges. Nothing may stay open.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "tests/sim/history.h"
#include "tests/sim/rules.h"

namespace zpost::sim {

using core::kMillisecond;
using core::kSecond;
using core::test::FakePeer;
using core::test::require;

namespace {

constexpr int kMostRounds = 600;
constexpr std::uint64_t kSentAtTheEnd = 60;
constexpr std::uint64_t kPublishedAtTheEnd = 20;
constexpr std::int64_t kUntilAllIsForgotten = 120 * kSecond;

}  // namespace

void History::settle_down() {
  say("---- everyone settles down");
  world_.router().set_process_memory(0);
  end_mischief();
  for (auto& peer : peers_) {
    if (peer->connected()) peer->lose();
  }
  to_send_ = kSentAtTheEnd;
  tidy_up_until_quiet();
  require(world_.router().held_bytes() == 0, "something is still held");
  nobody_subscribes();
  everyone_hears_everything();
  everyone_calls_everyone();
  everyone_leaves();
}

void History::tidy_up_until_quiet() {
  for (int round = 0; round < kMostRounds && !is_quiet(); ++round) {
    for (auto& peer : peers_) tidy_up(*peer);
    world_.advance(round % 10 == 9 ? kSecond : 3 * kMillisecond);
    if (tell_) {
      for (const std::string& line : world_.take_log()) say("  (" + line + ")");
    }
  }
  insist(is_quiet(), "it never becomes quiet", [this] { return what_is_left(); });
}

/// Mallory and those who share a name are gone, and so is what they held.
void History::end_mischief() {
  if (mallory_->connected()) mallory_->lose();
  for (auto& usurper : usurpers_) {
    if (usurper->connected()) usurper->lose();
  }
  world_.advance(limits_.resume_ns + kSecond);
}

void History::tidy_up(FakePeer& peer) {
  if (!peer.connected()) peer.connect();
  read(peer, core::test::World::kNoLimit);
  if (!peer.welcomed()) {
    if (!peer.asking()) say_hello(peer);
    return;
  }
  const std::uint64_t before = peer.taken() + peer.outcomes();
  peer.take();
  if (peer.options().acks || peer.taken() + peer.outcomes() > before) peer.ack();
  if (!peer.resend()) return;
  for (const Exchanges::Key& key : witness_.exchanges().in_hand(peer)) reply(peer, key, 8);
  for (int i = 0; i < 3 && to_send_ > 0; ++i) {
    const std::size_t drafted = peer.draft().size();
    write_one(peer);
    if (peer.draft().size() > drafted) --to_send_;
  }
  if (!peer.draft().empty()) peer.say();
}

/// Who has unsubscribed from everything gets nothing.
void History::nobody_subscribes() {
  say("---- nobody subscribes");
  for (auto& peer : peers_) {
    for (const std::string& pattern : witness_.news().patterns(peer->epoch())) {
      peer->write_interest(Kind::kUnsubscribe, encode(Name{pattern}));
    }
    if (!peer->draft().empty()) peer->say();
  }
  world_.advance(3 * kMillisecond);
  FakePeer& publisher = *peers_.front();
  const std::uint64_t before = publisher.told(Outcome::kNoSubscriber);
  const Meta meta{.wanted = kWantSubscriber};
  const std::uint64_t id = try_write(publisher, Kind::kPublish, "a/x", "", meta);
  require(id != 0, "nothing may be published though nothing is open");
  publisher.say();
  tidy_up_until_quiet();
  require(publisher.told(Outcome::kNoSubscriber) == before + 1,
          fmt::format("#{} from {} found a subscriber", id, publisher.name()));
}

/// Every subscriber gets every publish, or is told that it missed it.
void History::everyone_hears_everything() {
  say("---- everyone publishes to everyone");
  std::map<const FakePeer*, std::uint64_t> before;
  for (auto& peer : peers_) {
    const auto policy = dice_.once_in(2) ? SlowPolicy::kBlock : SlowPolicy::kDropOldest;
    peer->write_interest(Kind::kSubscribe, encode(Subscribe{"**", policy, false, true}));
    peer->say();
    before[peer.get()] = witness_.news().heard(peer->epoch());
  }
  world_.advance(3 * kMillisecond);
  std::uint64_t published = 0;
  for (std::uint64_t i = 0; i < kPublishedAtTheEnd; ++i) {
    for (auto& peer : peers_) {
      const Meta meta{.wanted = dice_.once_in(2) ? kWantCount : 0};
      const std::string body(dice_.below(limits_.max_envelope / 2), 'p');
      if (try_write(*peer, Kind::kPublish, "a/x", body, meta) == 0) continue;
      ++published;
      if (dice_.once_in(2)) peer->say();
    }
    if (dice_.once_in(10)) world_.turn();
  }
  for (auto& peer : peers_) {
    if (!peer->draft().empty()) peer->say();
  }
  tidy_up_until_quiet();
  // A gap is no envelope that is held: the last ones may still be on their way.
  for (int round = 0; round < 3; ++round) {
    for (auto& peer : peers_) tidy_up(*peer);
    world_.advance(3 * kMillisecond);
  }
  for (auto& peer : peers_) tidy_up(*peer);
  for (const auto& peer : peers_) {
    const std::uint64_t heard = witness_.news().heard(peer->epoch()) - before[peer.get()];
    require(heard == published,
            fmt::format("{} heard of {} publishes of {}", peer->name(), heard, published));
  }
}

/// Where somebody works every call is answered.
void History::everyone_calls_everyone() {
  say("---- everyone calls everyone");
  for (auto& peer : peers_) {
    for (const char* other : {"cut", "weld", "alice"}) {
      peer->write_interest(Kind::kWithdraw, encode(Name{other}));
    }
    peer->write_interest(Kind::kOffer, encode(Offer{"work", dice_.between(1, 3)}));
    peer->say();
  }
  world_.advance(3 * kMillisecond);
  const std::uint64_t failed = world_.router().accounting().failed;
  for (int i = 0; i < 3; ++i) {
    for (auto& peer : peers_) {
      const Meta meta{.idempotent = dice_.once_in(2)};
      if (try_write(*peer, Kind::kCall, "work", "now", meta) != 0) peer->say();
    }
    if (limits_.service_queue < 10 || limits_.calls < 10) tidy_up_until_quiet();
  }
  tidy_up_until_quiet();
  require(world_.router().accounting().failed == failed, "a call failed though all work");
}

/// Then the broker knows of nobody.
void History::everyone_leaves() {
  say("---- everyone leaves");
  for (auto& peer : peers_) peer->goodbye();
  world_.advance(kUntilAllIsForgotten);
  const core::Router& router = world_.router();
  const std::string left =
      fmt::format("{} sessions, {} expected, {} pairs, {} bytes", router.sessions(),
                  router.expected(), router.pairs(), router.held_bytes());
  require(left == "0 sessions, 0 expected, 0 pairs, 0 bytes", "something is left behind: " + left);
}

bool History::is_quiet() const {
  return to_send_ == 0 && world_.router().accounting().held == 0 &&
         std::all_of(peers_.begin(), peers_.end(), [this](const auto& peer) {
           return peer->welcomed() && peer->copies().empty() && peer->unsettled() == 0 &&
                  peer->asked().empty() && witness_.exchanges().in_hand(*peer).empty();
         });
}

std::string History::what_is_left() const {
  std::string text = fmt::format("held={} to_send={}", world_.router().accounting().held, to_send_);
  for (const auto& peer : peers_) {
    text += fmt::format(
        "; {}: welcomed={} copies={} unsettled={} credit={} sent={} pair={} asked={} in_hand={}",
        peer->name(), peer->welcomed(), peer->copies().size(), peer->unsettled(), peer->credit(),
        peer->sent_cost(), peer->pair(), peer->asked().size(),
        witness_.exchanges().in_hand(*peer).size());
    if (!peer->copies().empty()) {
      const auto& [id, copy] = *peer->copies().begin();
      text += fmt::format(" first #{} to \"{}\"", id, copy.to);
    }
  }
  return text;
}

}  // namespace zpost::sim
