#include "tests/sim/world/wire.h"

#include <algorithm>
#include <array>
#include <utility>

namespace zpost::sim {

Moment Wire::arrival(Moment now, Moment& last) {
  Moment at = now + nature_.delay;
  if (nature_.jitter > 0) {
    at += static_cast<Moment>(dice_.below(static_cast<std::uint64_t>(nature_.jitter)));
  }
  last = std::max(last, at);  // TCP keeps the order.
  return last;
}

std::vector<std::string> Wire::take_until(std::deque<Packet>& from, Moment now) {
  std::vector<std::string> frames;
  for (; !from.empty() && from.front().at <= now; from.pop_front()) {
    frames.push_back(std::move(from.front().frame));
  }
  return frames;
}

// ---- The program's end
// ---------------------------------------------------------------------------

void Wire::send_up(Moment now, std::string frame) {
  if (closed_by_program_) return;
  if (ended_) return;  // Into the socket of a connection that is gone: never read.
  up_.push_back({arrival(now, last_up_), std::move(frame)});
}

std::vector<std::string> Wire::receive_down(Moment now) {
  if (closed_by_program_ || (down_stalls_ && !ended_)) return {};
  return take_until(down_, now);
}

std::string Wire::loss(Moment now) const {
  if (closed_by_program_ || now < program_learns_) return {};
  return "the connection ended";
}

void Wire::close_by_program(Moment now, bool lingers) {
  if (closed_by_program_) return;
  closed_by_program_ = true;
  program_told_ = true;
  down_.clear();
  if (ended_) return;
  ended_ = true;
  // Without lingering what libzmq had not yet written is gone: any part of it.
  if (!lingers) keep(up_, dice_.below(up_.size() + 1));
  if (up_stalls_) {
    keep(up_, 0);
    broker_learns_ = kNeverComes;
    // A stalled direction carries no end either: the broker's own heartbeats find out.
    broker_learns_ = now + 10 * kSec;
    return;
  }
  broker_learns_ = std::max(now + nature_.delay, last_up_);
}

// ---- The broker's end
// ----------------------------------------------------------------------------

std::vector<std::string> Wire::arrived_up(Moment now) {
  if (up_stalls_) return {};
  return take_until(up_, now);
}

std::vector<std::string> Wire::take_all_up() {
  std::vector<std::string> frames = take_until(late_, kNeverComes);
  for (std::string& frame : take_until(up_, kNeverComes)) frames.push_back(std::move(frame));
  return frames;
}

std::vector<std::string> Wire::take_late(Moment now) {
  return take_until(late_, now);
}

void Wire::send_down(Moment now, std::string frame) {
  if (ended_) return;
  down_.push_back({arrival(now, last_down_), std::move(frame)});
}

bool Wire::tells_broker(Moment now) {
  if (broker_told_ || now < broker_learns_) return false;
  return broker_told_ = true;
}

void Wire::end_by_broker(Moment now) {
  broker_told_ = true;
  if (ended_) return;
  ended_ = true;
  up_.clear();
  late_.clear();
  if (down_stalls_) {
    down_.clear();
    program_learns_ = now + 10 * kSec;
    return;
  }
  program_learns_ = std::max(now + nature_.delay, last_down_);
}

// ---- What befalls it
// -----------------------------------------------------------------------------

/// Forgets all but the first `count`.
void Wire::keep(std::deque<Packet>& packets, std::size_t count) {
  while (packets.size() > count) {
    if (&packets == &up_) lost_.push_back(std::move(packets.back().frame));
    packets.pop_back();
  }
}

void Wire::cut(Moment now, Dice& dice) {
  if (ended_) return;
  ended_ = true;
  keep(up_, up_stalls_ ? 0 : dice.below(up_.size() + 1));
  keep(down_, down_stalls_ ? 0 : dice.below(down_.size() + 1));
  const std::array<Moment, 4> learns{0, 3 * kMilli, 300 * kMilli, 12 * kSec};
  broker_learns_ = now + dice.pick(learns);
  program_learns_ = now + dice.pick(learns);
  for (Packet& packet : up_) packet.at = std::min(packet.at, now);
  for (Packet& packet : down_) packet.at = std::min(packet.at, program_learns_);
  if (dice.once_in(2)) return;
  // libzmq tells of the end first, and shows what it had read in later turns.
  const Moment shown = broker_learns_ + (dice.once_in(2) ? 0 : dice.pick(learns) / 2);
  for (Packet& packet : std::exchange(up_, {})) {
    late_.push_back({std::max(shown, packet.at), std::move(packet.frame)});
  }
}

void Wire::stall(bool up, bool down) {
  if (ended_) return;
  up_stalls_ |= up;
  down_stalls_ |= down;
}

void Wire::go_on(Moment now) {
  up_stalls_ = down_stalls_ = false;
  for (std::deque<Packet>* const packets : {&up_, &down_}) {
    for (Packet& packet : *packets) packet.at = std::max(packet.at, now);
  }
}

Moment Wire::next_for_broker() const {
  Moment next = broker_told_ ? kNeverComes : broker_learns_;
  if (!up_.empty() && !up_stalls_) next = std::min(next, up_.front().at);
  if (!late_.empty()) next = std::min(next, late_.front().at);
  return next;
}

Moment Wire::next_for_program() const {
  if (closed_by_program_) return kNeverComes;
  Moment next = program_learns_;
  if (!down_.empty() && (!down_stalls_ || ended_)) next = std::min(next, down_.front().at);
  return next;
}

}  // namespace zpost::sim
