#include "tests/sim/world/broker_host.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tests/sim/rules.h"

namespace zpost::sim {

namespace {

// Longer than any frame of a gone connection takes to be read here.
constexpr Moment kKeepGone = 20 * kSec;

}  // namespace

BrokerHost::BrokerHost(const core::Limits& limits, std::uint64_t wall)
    : limits_(limits), wall_(wall) {}

// ---- Runs
// ----------------------------------------------------------------------------------------

void BrokerHost::start(Moment now) {
  if (runs()) return;
  ++run_;
  started_ = now;
  still_until_ = now;
  draining_ = false;
  world_.emplace(limits_,
                 core::BrokerIdentity{
                     .name = "zpost", .run = fmt::format("{:032x}", run_), .id_floor = id_floor_});
  world_->set_wall(wall_);
}

void BrokerHost::crash(Moment now) {
  if (!runs()) return;
  send(now);
  id_floor_ = std::max(id_floor_, world_->router().id_floor());
  wall_ = world_->now().wall_ns;
  for (const WireRef& wire : wires_) wire->end_by_broker(now);
  wires_.clear();
  gone_.clear();
  by_identity_.clear();
  world_.reset();
}

void BrokerHost::drain() {
  if (!runs() || draining_) return;
  draining_ = true;
  world_->drain();
}

void BrokerHost::stop(Moment now) {
  if (!runs()) return;
  drain();
  world_->farewell();
  crash(now);
}

// ---- Connections
// ---------------------------------------------------------------------------------

void BrokerHost::accept(const WireRef& wire, std::size_t room) {
  if (!runs()) return;
  wire->connection = world_->connect(wire->name());
  world_->set_room(wire->connection, room);
  wires_.push_back(wire);
}

void BrokerHost::accept_again(const WireRef& wire, const std::string& identity, std::size_t room) {
  if (!runs()) return;
  const auto known = by_identity_.find(identity);
  if (known == by_identity_.end()) {
    accept(wire, room);
    by_identity_[identity] = wire->connection;
    return;
  }
  const core::ConnectionId connection = known->second;
  std::erase_if(gone_, [&](const auto& gone) { return gone.first == connection; });
  for (const WireRef& old : std::exchange(wires_, {})) {
    if (old->connection != connection) {
      wires_.push_back(old);
      continue;
    }
    for (const std::string& frame : old->take_all_up()) hear_stranger(frame);
  }
  world_->hand_over(connection);
  world_->set_room(connection, room);
  wire->connection = connection;
  wire->gauge.inherit();
  wires_.push_back(wire);
}

void BrokerHost::hear_stranger(const std::string& frame) {
  if (!runs()) return;
  const core::ConnectionId connection = world_->connect_unnamed();
  world_->send(connection, frame);
  world_->turn();
  world_->forget(connection);
}

// ---- Time
// ----------------------------------------------------------------------------------------

void BrokerHost::set_wall(std::uint64_t wall) {
  wall_ = wall;
  if (runs()) world_->set_wall(wall);
}

void BrokerHost::stand_still(Moment until) {
  still_until_ = std::max(still_until_, until);
}

Moment BrokerHost::next() const {
  if (!runs()) return kNeverComes;
  Moment next = world_->router().next_deadline();
  if (next != core::kNever) next += started_ - core::kSecond;
  for (const WireRef& wire : wires_) next = std::min(next, wire->next_for_broker());
  return std::max(next, still_until_);
}

void BrokerHost::advance(Moment now) {
  if (!runs()) return;
  if (now < still_until_) return;
  read(now);
  note_ends(now);
  const Moment passes = local(now) - world_->now().steady_ns;
  if (passes > 0) {
    world_->advance(passes);
  } else {
    world_->settle();
  }
  send(now);
  keep_house(now);
  wall_ = world_->now().wall_ns;
}

void BrokerHost::read(Moment now) {
  for (const WireRef& wire : wires_) read(*wire, now);
}

void BrokerHost::read(Wire& wire, Moment now) {
  if (wire.connection == core::kNone) return;
  for (std::string& frame : wire.arrived_up(now)) {
    if (world_->alive(wire.connection)) wire.gauge.on_up(frame);
    world_->send(wire.connection, std::move(frame));
  }
  for (std::string& frame : wire.take_late(now)) {
    wire.gauge.on_up(frame);
    world_->send_late(wire.connection, std::move(frame));
  }
}

/// What libzmq's monitor tells. The frames before it are read first or afterwards.
void BrokerHost::note_ends(Moment now) {
  for (const WireRef& wire : wires_) {
    if (wire->tells_broker(now)) {
      if (world_->alive(wire->connection)) world_->lose(wire->connection);
      gone_.emplace_back(wire->connection, now);
    }
  }
  std::erase_if(wires_, [](const WireRef& wire) { return wire->over(); });
}

/// Moves what libzmq has to the wires, as far as they take it, and ends what the broker shut.
void BrokerHost::send(Moment now) {
  for (const WireRef& wire : wires_) {
    if (wire->connection == core::kNone) continue;
    wire->gauge.on_turn(world_->unread(wire->connection));
    for (std::string& frame : world_->receive(wire->connection, wire->room_down())) {
      wire->gauge.on_down(frame);
      wire->send_down(now, std::move(frame));
    }
    if (!wire->ended() && !world_->alive(wire->connection)) {
      wire->end_by_broker(now);
      gone_.emplace_back(wire->connection, now);
    }
  }
}

/// The shell frees the slots of connections that are gone for long, for others to use.
void BrokerHost::keep_house(Moment now) {
  std::erase_if(gone_, [&](const auto& gone) {
    if (now - gone.second < kKeepGone) return false;
    const auto used = std::find_if(wires_.begin(), wires_.end(), [&](const WireRef& wire) {
      return wire->connection == gone.first;
    });
    if (used != wires_.end()) return false;
    world_->forget(gone.first);
    std::erase_if(by_identity_, [&](const auto& known) { return known.second == gone.first; });
    return true;
  });
}

std::vector<std::string> BrokerHost::take_log() {
  return runs() ? world_->take_log() : std::vector<std::string>();
}

}  // namespace zpost::sim
