// What honest peers ask of each other, and how they answer.
#include <fmt/format.h>

#include <array>

#include "tests/sim/history.h"

namespace zpost::sim {

using core::kMillisecond;
using core::kSecond;
using core::test::FakePeer;

namespace {

// A peer may have the name of a service as well.
constexpr std::array<const char*, 3> kServices{"cut", "weld", "alice"};

}  // namespace

void History::ask_and_answer(FakePeer& peer) {
  if (!peer.welcomed() || !peer.connected() || !peer.resend()) return;
  switch (dice_.below(10)) {
    case 0:
      return offer(peer);
    case 1:
      return withdraw(peer);
    case 2:
      return cancel(peer);
    case 3:
    case 4:
    case 5:
      return answer_some(peer);
    default:
      return ask_some(peer);
  }
}

void History::offer(FakePeer& peer) {
  const Offer offer{dice_.pick(kServices), dice_.between(1, 4)};
  say(fmt::format("{} offers {}, {} at once", peer.name(), offer.service, offer.capacity));
  peer.write_interest(Kind::kOffer, encode(offer));
  peer.say();
}

void History::withdraw(FakePeer& peer) {
  const std::string_view service = dice_.pick(kServices);
  say(fmt::format("{} withdraws {}", peer.name(), service));
  peer.write_interest(Kind::kWithdraw, encode(Name{service}), dice_.once_in(2));
  peer.say();
}

void History::ask_some(FakePeer& peer) {
  const bool bundle = !dice_.once_in(4);
  for (std::uint64_t i = dice_.between(1, 8); i > 0; --i) {
    ask_one(peer, dice_.once_in(3) ? Kind::kRequest : Kind::kCall);
    if (dice_.once_in(10)) write_one(peer);
    if (!bundle && !peer.draft().empty()) peer.say();
  }
  if (!peer.draft().empty()) peer.say();
}

void History::ask_one(FakePeer& peer, Kind kind) {
  constexpr std::array<std::int64_t, 5> kTimes{-kMillisecond, kMillisecond, 100 * kMillisecond,
                                               4 * kSecond, 50 * kSecond};
  Meta meta;
  meta.idempotent = kind == Kind::kCall && dice_.once_in(2);
  if (dice_.once_in(2)) {
    meta.deadline_ns =
        static_cast<std::uint64_t>(static_cast<std::int64_t>(world_.clock()) + dice_.pick(kTimes));
  }
  const std::string to = kind == Kind::kCall ? dice_.pick(kServices) : some_name();
  try_write(peer, kind, to, std::string(some_size(), 'q'), meta);
}

void History::cancel(FakePeer& peer) {
  if (peer.asked().empty()) return;
  auto chosen = peer.asked().begin();
  std::advance(chosen, static_cast<std::ptrdiff_t>(dice_.below(peer.asked().size())));
  say(fmt::format("{} cancels #{}", peer.name(), *chosen));
  witness_.on_cancelled(peer, *chosen);
  peer.write_raw({.kind = Kind::kCancel, .from = peer.name(), .id = *chosen});
  peer.say();
}

void History::answer_some(FakePeer& peer) {
  for (const Exchanges::Key& key : witness_.exchanges().in_hand(peer)) {
    if (dice_.once_in(3)) continue;
    for (std::uint64_t i = dice_.once_in(3) ? dice_.between(1, 4) : 0; i > 0; --i) {
      reply(peer, key, some_size(), true);
    }
    if (!dice_.once_in(4)) reply(peer, key, some_size());
  }
  if (!peer.draft().empty()) peer.say();
}

/// `more`: it is not the last one.
void History::reply(FakePeer& peer, const Exchanges::Key& key, std::uint64_t size, bool more) {
  Meta meta;
  meta.in_reply_to = key.second;
  meta.more = more;
  meta.rejected = !more && dice_.once_in(8);
  const std::string body(size, 'r');
  const std::uint64_t id = try_write(peer, Kind::kReply, key.first, body, meta);
  if (id != 0) witness_.on_answered(peer, key, more);
}

}  // namespace zpost::sim
