// What honest peers do with topics.
#include <fmt/format.h>

#include <array>

#include "tests/sim/history.h"

namespace zpost::sim {

using core::test::FakePeer;

namespace {

// Names of peers are topics as well: what wrong envelopes publish.
constexpr std::array<const char*, 7> kTopics{"a", "a/x", "a/y", "a/x/1", "b/x", "b", "alice"};
constexpr std::array<const char*, 10> kPatterns{"**",  "*",    "a/*", "a/**",  "*/x",
                                                "a/x", "b/**", "a",   "*/*/1", "*/**"};

}  // namespace

void History::take_part(FakePeer& peer) {
  if (!peer.welcomed() || !peer.connected() || !peer.resend()) return;
  switch (dice_.below(8)) {
    case 0:
    case 1:
      return subscribe(peer);
    case 2:
      return unsubscribe(peer);
    default:
      return publish_some(peer);
  }
}

void History::subscribe(FakePeer& peer) {
  for (std::uint64_t i = dice_.between(1, 3); i > 0; --i) {
    Subscribe wanted{.pattern = dice_.pick(kPatterns)};
    const std::uint64_t policy = dice_.below(8);
    if (policy < 3) wanted.policy = SlowPolicy::kBlock;
    if (policy == 3) wanted.policy = SlowPolicy::kDisconnect;
    wanted.excludes_own = dice_.once_in(4);
    wanted.skips_retained = dice_.once_in(4);
    say(fmt::format("{} subscribes to {}, policy {}", peer.name(), wanted.pattern,
                    static_cast<unsigned>(wanted.policy)));
    peer.write_interest(Kind::kSubscribe, encode(wanted));
  }
  peer.say();
}

void History::unsubscribe(FakePeer& peer) {
  const std::string_view pattern = dice_.pick(kPatterns);
  say(fmt::format("{} unsubscribes from {}", peer.name(), pattern));
  peer.write_interest(Kind::kUnsubscribe, encode(Name{pattern}), dice_.once_in(2));
  peer.say();
}

void History::publish_some(FakePeer& peer) {
  const std::uint64_t count = dice_.once_in(3) ? dice_.between(1, 40) : dice_.between(1, 4);
  const bool bundle = !dice_.once_in(4);
  for (std::uint64_t i = 0; i < count; ++i) {
    Meta meta;
    if (dice_.once_in(3)) meta.wanted |= kWantCount;
    if (dice_.once_in(4)) meta.wanted |= kWantSubscriber;
    meta.retain = dice_.once_in(6);
    publish_one(peer, dice_.pick(kTopics), meta);
    if (dice_.once_in(10)) write_one(peer);
    if (!bundle && !peer.draft().empty()) peer.say();
  }
  if (!peer.draft().empty()) peer.say();
}

void History::publish_one(FakePeer& peer, std::string_view topic, const Meta& meta) {
  const bool clears = meta.retain && dice_.once_in(4);
  try_write(peer, Kind::kPublish, topic, std::string(clears ? 0 : some_size(), 'p'), meta);
}

}  // namespace zpost::sim
