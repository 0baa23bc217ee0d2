// What a peer does that does not keep to the page.
#include <fmt/format.h>

#include "tests/broker/core/support/describe.h"
#include "tests/sim/history.h"

namespace zpost::sim {

using core::test::FakePeer;

void History::mischief() {
  FakePeer& peer = *mallory_;
  if (peer.connection() != core::kNone && peer.connected()) {
    read(peer, dice_.once_in(2) ? 0 : core::test::World::kNoLimit);
  }
  if (!peer.connected() || dice_.once_in(10)) {
    say("mallory says hello on a new connection");
    peer.connect();
    if (dice_.once_in(4)) world_.set_room(peer.connection(), dice_.below(4));
    return peer.hello();
  }
  constexpr std::uint64_t kMost = 30;
  witness_.on_mischief(kMost);
  switch (dice_.below(6)) {
    case 0:
      return wrong_envelope(peer);
    case 1:
      return wrong_control(peer);
    case 2:
      return damaged_frame(peer);
    case 3:
      return world_.send_multipart(peer.connection());
    case 4:
      peer.take();
      return peer.ack();
    default:
      for (std::uint64_t i = dice_.between(1, kMost); i > 0; --i) {
        const Kind kind = dice_.once_in(4) ? Kind::kPublish : Kind::kSend;
        peer.write(some_name(), std::string(dice_.below(2000), 'm'), kind);
      }
      return peer.say();
  }
}

void History::wrong_envelope(FakePeer& peer) {
  const std::uint64_t id = peer.last_id();
  const std::string to = dice_.once_in(5) ? "not a name!" : some_name();
  const std::string from = dice_.once_in(2) ? "mallory" : some_name();
  constexpr std::uint64_t kFar = std::uint64_t{1} << 60;
  const std::uint64_t ids[] = {0, id, id + 1, id + 1000, kFar, UINT64_MAX};
  const auto kind = static_cast<Kind>(dice_.once_in(3) ? dice_.below(128) : dice_.between(16, 20));
  Meta meta;
  meta.durable = dice_.once_in(4);
  const std::string body = dice_.bytes(dice_.below(20));
  say(fmt::format("mallory -> a wrong envelope of kind {} to {} as {}", static_cast<unsigned>(kind),
                  to, from));
  peer.write_raw({.kind = kind,
                  .to = to,
                  .from = from,
                  .id = ids[dice_.below(6)],
                  .meta = meta,
                  .body = as_bytes(body)});
  peer.say();
}

void History::wrong_control(FakePeer& peer) {
  say("mallory -> wrong control");
  switch (dice_.below(6)) {
    case 0:
      peer.write_ack({dice_.below(50), dice_.below(50), dice_.below(1 << 20)});
      break;
    case 1:
      peer.write_goodbye({dice_.below(50), dice_.below(50)});
      break;
    case 2:
      peer.write_hello();
      break;
    case 3:
      peer.write_watch(dice_.once_in(2) ? "*" : dice_.bytes(3));
      break;
    case 4: {
      const std::string body = dice_.bytes(dice_.below(100));
      peer.write_raw({.kind = Kind::kPing, .from = peer.name(), .body = as_bytes(body)});
      break;
    }
    default: {
      // It tries to resume what may be somebody else's.
      const ByteBuffer body = encode(Hello{.instance = peer.options().instance,
                                           .acks = dice_.once_in(2),
                                           .resume = true,
                                           .window_bytes = dice_.below(100),
                                           .run = std::string(32, 'f'),
                                           .epoch = dice_.below(20),
                                           .taken = dice_.below(20),
                                           .outcomes = dice_.below(20)});
      peer.connect();
      peer.write_raw({.kind = Kind::kHello, .from = peer.name(), .body = body});
    }
  }
  peer.say();
}

/// A good frame with some bytes changed or missing, or bytes of no meaning at all.
void History::damaged_frame(FakePeer& peer) {
  say("mallory -> a damaged frame");
  if (dice_.once_in(3)) {
    peer.write_bytes(dice_.bytes(dice_.below(60)));
    return peer.say();
  }
  for (std::uint64_t i = dice_.between(1, 4); i > 0; --i) peer.write(some_name(), "damaged");
  peer.write_ack();
  std::string frame = peer.draft();
  peer.cut_draft(frame.size());
  for (std::uint64_t i = dice_.below(4); i > 0; --i) {
    dice_.pick(frame) = static_cast<char>(dice_.below(256));
  }
  if (dice_.once_in(3)) frame.resize(dice_.below(frame.size()));
  peer.write_bytes(frame);
  peer.say();
}

}  // namespace zpost::sim
