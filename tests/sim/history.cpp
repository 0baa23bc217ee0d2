#include "tests/sim/history.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "tests/broker/core/support/describe.h"
#include "zpost/protocol/msgpack_writer.h"

namespace zpost::sim {

using core::kMillisecond;
using core::kSecond;
using core::Limits;
using core::test::FakePeer;
using core::test::instance_of;
using core::test::require;
using core::test::World;

namespace {

constexpr std::uint64_t kMostNames = 5;
// Above the queue's limit: one envelope, presence, and answers of the broker.
constexpr std::uint64_t kQueueSlack = 64 << 10;
// What many subscribers get in one frame.
constexpr std::uint64_t kMostTopicFrame = 256 << 10;

std::string ask(std::string_view op) {
  ByteBuffer body;
  MsgpackWriter(body).map(1).str("op").str(op);
  return std::string(as_text(body));
}

}  // namespace

History::History(Dice& dice, Tell tell)
    : dice_(dice),
      tell_(std::move(tell)),
      limits_(choose_limits(dice)),
      world_(limits_),
      witness_(limits_.memory / 2, tells_all(limits_)) {
  world_.set_wall(1'000'000'000'000'000'000);
  world_.router().set_tap(core::TapDetail::kTopics);
  add_peers();
}

Limits History::choose_limits(Dice& dice) {
  Limits limits;
  const auto one_of = [&](std::array<std::uint64_t, 3> values) { return dice.pick(values); };
  limits.max_envelope = one_of({1 << 10, 4 << 10, 64 << 10});
  limits.credit_initial = one_of({1 << 10, 8 << 10, 32 << 10});
  limits.credit_max = limits.credit_initial * one_of({1, 8, 64});
  limits.pair_share = one_of({1, 4, 4});
  limits.window = one_of({2 << 10, 32 << 10, 4 << 20});
  limits.window_frames = one_of({1, 4, 64});
  limits.queue = one_of({4 << 10, 64 << 10, 64 << 20});
  limits.topic_queue = one_of({1 << 10, 16 << 10, 8 << 20});
  limits.subscriptions = one_of({2, 8, 1024});
  limits.retained = one_of({2, 8, 1000});
  limits.offers = one_of({1, 2, 64});
  limits.calls = one_of({2, 20, 65'536});
  limits.service_queue = one_of({1, 10, 10'000});
  limits.memory = limits.credit_initial * one_of({40, 400, 4000});
  limits.violations = one_of({3, 100, 100});
  limits.watches = 3;
  limits.credit_idle_ns = 2 * kSecond;
  limits.newest_wins = dice.once_in(4);
  return limits;
}

/// No queue gets so long, and the broker itself never holds so much, that presence is not told.
bool History::tells_all(const Limits& limits) {
  return limits.queue >= 64 << 20 && limits.memory >= 4 << 20;
}

void History::add_peers() {
  constexpr std::array<const char*, kMostNames> kNames{"alice", "bob", "carol", "dave", "erin"};
  const std::uint64_t count = dice_.between(2, kMostNames);
  for (std::uint64_t i = 0; i < count; ++i) {
    FakePeer::Options options{.name = kNames[i], .instance = instance_of(++instances_)};
    const std::uint64_t kind = dice_.below(8);
    options.acks = kind != 0;
    options.resume = kind > 1;
    options.pong = kind > 1;
    options.says_credit = kind != 2;
    if (dice_.once_in(4)) options.earlier_run = std::string(32, 'e');
    if (dice_.once_in(4)) options.will = some_will(kNames[i]);
    if (dice_.once_in(4)) options.window = dice_.between(1, 10'000);
    if (dice_.once_in(4)) options.frames = dice_.between(1, 8);
    peers_.push_back(std::make_unique<FakePeer>(world_, options, &witness_));
    if (!dice_.once_in(4)) continue;
    options.instance = instance_of(++instances_);
    usurpers_.push_back(std::make_unique<FakePeer>(world_, options, &witness_));
  }
  mallory_ = std::make_unique<FakePeer>(
      world_,
      FakePeer::Options{.name = "mallory", .instance = instance_of(++instances_), .honest = false});
  witness_.distrust("mallory");
}

Will History::some_will(std::string_view name) {
  const Bytes body = as_bytes(name);
  Will will{.kind = Kind::kSend, .to = "alice", .body = ByteBuffer(body.begin(), body.end())};
  if (!dice_.once_in(2)) return will;
  will.kind = Kind::kPublish;
  will.to = "a/x";
  will.retain = dice_.once_in(2);
  return will;
}

void History::run(std::size_t steps) {
  begin();
  for (std::size_t i = 0; i < steps && !dice_.exhausted(); ++i) step();
  settle_down();
}

void History::begin() {
  for (auto& peer : peers_) come_back(*peer);
}

void History::step() {
  do_something();
  check();
}

void History::do_something() {
  FakePeer& peer =
      dice_.once_in(10) && !usurpers_.empty() ? *dice_.pick(usurpers_) : *dice_.pick(peers_);
  if (dice_.once_in(6)) return take_part(peer);
  if (dice_.once_in(6)) return ask_and_answer(peer);
  const std::uint64_t what = dice_.below(100);
  if (what < 25) return send_some(peer);
  if (what < 40) return read_some(peer);
  if (what < 55) return take_and_ack(peer);
  if (what < 75) return world_.turn(dice_.once_in(3) ? dice_.below(4) : World::kNoLimit);
  if (what < 84) return pass_time();
  if (what < 90) return come_back(peer);
  if (what < 91) return leave(peer);
  if (what < 95) return trouble(peer);
  mischief();
}

void History::check() {
  tap_witness_.see(world_.take_tap());
  // Beside what is sent to it, a peer may have a topic queue and one frame beyond, the retained
  // values of all topics, and what publishers wait for because its policy is `block`.
  const std::uint64_t topics = limits_.topic_queue + kMostTopicFrame + limits_.max_envelope +
                               limits_.memory / 8 + limits_.memory / 2;
  require(world_.largest_queue() <= limits_.queue + topics + limits_.max_envelope + kQueueSlack,
          "a queue is beyond its limit");
}

// ---- What honest peers do
// ------------------------------------------------------------------------

std::string History::some_name() {
  const std::uint64_t which = dice_.below(20);
  if (which == 0) return "nobody";
  if (which == 1) return "mallory";
  return dice_.pick(peers_)->name();
}

void History::send_some(FakePeer& peer) {
  if (!peer.welcomed() || !peer.connected()) return;
  if (!peer.resend()) return;
  if (dice_.once_in(12)) return ask_broker(peer);
  const std::uint64_t count = dice_.once_in(3) ? dice_.between(1, 40) : dice_.between(1, 4);
  const bool bundle = !dice_.once_in(4);
  for (std::uint64_t i = 0; i < count; ++i) {
    write_one(peer);
    if (!bundle && !peer.draft().empty()) peer.say();
  }
  if (!peer.draft().empty()) peer.say();
}

void History::write_one(FakePeer& peer) {
  Meta meta;
  meta.durable = dice_.once_in(50);
  const std::string to = some_name();
  try_write(peer, Kind::kSend, to, std::string(some_size(), 'x'), meta);
}

std::uint64_t History::some_size() {
  if (dice_.once_in(100)) return limits_.max_envelope;  // Too large, with its header.
  return dice_.once_in(3) ? dice_.below(limits_.max_envelope) : 32;
}

std::uint64_t History::try_write(FakePeer& peer, Kind kind, std::string_view to,
                                 std::string_view body, const Meta& meta) {
  ByteBuffer encoded;
  append_envelope(encoded, {.kind = kind,
                            .to = to,
                            .from = peer.name(),
                            .id = peer.last_id() + 1,
                            .meta = meta,
                            .body = as_bytes(body)});
  if (!peer.may_send(FakePeer::account_of(kind, to), cost_of(encoded.size()))) return 0;
  const std::uint64_t id = peer.write(to, body, kind, meta);
  say(fmt::format("{} -> {} #{} to {} ({} bytes)", peer.name(), kind_name(kind), id, to,
                  body.size()));
  return id;
}

void History::ask_broker(FakePeer& peer) {
  const std::string body = ask(dice_.once_in(2) ? "stats" : "who");
  if (!peer.may_send("", 200)) return;
  say(fmt::format("{} asks the broker", peer.name()));
  peer.write("", body, Kind::kRequest);
  if (dice_.once_in(3)) write_one(peer);
  if (dice_.once_in(4)) peer.write_watch(dice_.once_in(2) ? "*" : "b*", !dice_.once_in(4));
  peer.say();
}

void History::read(FakePeer& peer, std::size_t frames) {
  for (const std::string& frame : peer.read(frames)) {
    if (!tell_) continue;
    for (const std::string& line : core::test::describe(frame)) {
      say(fmt::format("{} ({}) <- {}", peer.name(), peer.options().instance.substr(30), line));
    }
  }
}

void History::read_some(FakePeer& peer) {
  read(peer, dice_.once_in(2) ? dice_.between(1, 3) : World::kNoLimit);
}

void History::take_and_ack(FakePeer& peer) {
  peer.take(dice_.once_in(2) ? dice_.below(6) : UINT64_MAX);
  if (!peer.options().acks || !peer.welcomed() || dice_.once_in(3)) return;
  say(fmt::format("{} acks {} {}", peer.name(), peer.taken(), peer.outcomes()));
  peer.ack();
}

/// Says hello, where there is reason to: on a new socket, or on the one it has.
void History::come_back(FakePeer& peer) {
  const bool needed = !peer.connected() || !peer.welcomed();
  if (!needed && !dice_.once_in(20)) return;
  if (!peer.connected() || !needed || peer.asking()) {
    if (peer.connected() && dice_.once_in(2)) peer.lose(dice_.once_in(2));
    peer.connect();
    if (dice_.once_in(8)) world_.set_room(peer.connection(), dice_.between(1, 6));
  }
  say(fmt::format("{} ({}) says hello on connection {}", peer.name(),
                  peer.options().instance.substr(30), peer.connection()));
  say_hello(peer);
}

void History::say_hello(FakePeer& peer) {
  if (peer.options().will) witness_.on_will(peer.name(), *peer.options().will);
  peer.hello();
}

void History::leave(FakePeer& peer) {
  if (!peer.connected() || !peer.welcomed()) return;
  if (dice_.once_in(2)) {
    say(fmt::format("{} says goodbye", peer.name()));
    return peer.goodbye();
  }
  say(fmt::format("{} starts anew", peer.name()));
  peer.lose(dice_.once_in(2));
  peer.become(++instances_);
}

void History::trouble(FakePeer& peer) {
  if (peer.connection() == core::kNone || !peer.connected()) return;
  switch (dice_.below(7)) {
    case 0:
    case 1:
      say(fmt::format("{} loses its connection", peer.name()));
      return peer.lose(dice_.once_in(2));
    case 2:
      say(fmt::format("{} loses its connection and what it sent", peer.name()));
      return world_.lose_sent(peer.connection());
    case 3:
      say(fmt::format("{} is half open", peer.name()));
      return world_.mute(peer.connection());
    case 4:
      // Who counts what arrives must not let its socket reconnect by itself.
      if (peer.options().acks) return;
      say(fmt::format("{} is handed over", peer.name()));
      peer.reconnected();
      return world_.hand_over(peer.connection());
    case 5:
      return world_.set_room(peer.connection(), dice_.below(5));
    default:
      say(fmt::format("the connection of {} is forgotten", peer.name()));
      return world_.forget(peer.connection());
  }
}

void History::pass_time() {
  constexpr std::array<std::int64_t, 6> kSpans{kMillisecond / 10, 2 * kMillisecond,
                                               50 * kMillisecond, 600 * kMillisecond,
                                               3 * kSecond,       12 * kSecond};
  const std::int64_t span = kSpans[std::min(dice_.below(kSpans.size()), dice_.below(7))];
  say(fmt::format("{} ms pass", span / kMillisecond));
  world_.router().set_process_memory(dice_.once_in(30) ? limits_.memory + 1 : 0);
  world_.advance(span);
  if (!tell_) return;
  for (const std::string& line : world_.take_log()) say("  (" + line + ")");
}

}  // namespace zpost::sim
