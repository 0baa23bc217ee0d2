#include "broker/app/broker.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>

#include "broker/app/process.h"
#include "broker/net/clock.h"

namespace zpost::app {

void Broker::run() {
  while (phase_ != Phase::kStopped) turn();
}

void Broker::turn() {
  now_ = net::read_clocks();
  ++turns_;
  const bool dry = receive();
  take_gone();
  if (now_.steady_ns >= parts_.router.next_deadline()) {
    parts_.router.tick(now_, out_);
    apply(nullptr);
  }
  const bool done = send();
  if (now_.steady_ns >= next_signals_) handle_signals();
  if (phase_ == Phase::kStopped) return;  // The gateway is closed.
  if (now_.steady_ns >= next_chores_) do_chores();
  if (parts_.snapshots != nullptr && parts_.snapshots->wanted()) tell_numbers();
  if (!dry || !done) {
    // Whoever waits for what this turn sent runs before the next one. docs/adr/0023.
    if (parts_.router.senders_differ()) ::sched_yield();
    return;
  }

  const std::int64_t deadline =
      std::min({parts_.router.next_deadline(), next_chores_, drain_until_});
  parts_.gateway.wait(deadline);
  next_signals_ = 0;
}

bool Broker::receive() {
  std::size_t bytes = 0;
  for (int frames = 0; frames < kFramesPerTurn && bytes < kBytesPerTurn; ++frames) {
    const net::Incoming incoming = parts_.gateway.receive(now_);
    if (incoming.kind == net::Incoming::Kind::kDry) return true;
    bytes += incoming.bytes.size();
    if (incoming.kind == net::Incoming::Kind::kFrame) received_.add(incoming.bytes.size());
    step(incoming);
  }
  return false;
}

void Broker::step(const net::Incoming& incoming) {
  using Kind = net::Incoming::Kind;
  core::Router& router = parts_.router;
  if (incoming.forgotten != core::kNone) router.on_connection_forgotten(incoming.forgotten);
  if (!incoming.address.empty()) router.set_address(incoming.connection, incoming.address);
  if (incoming.handover) {
    router.on_handover(incoming.connection, now_, out_);
    apply(&incoming);
  }
  switch (incoming.kind) {
    case Kind::kFrame:
      router.on_frame(incoming.connection, incoming.name, incoming.bytes, now_, out_);
      break;
    case Kind::kMultipart:
      router.on_multipart(incoming.connection, now_, out_);
      break;
    case Kind::kBadIdentity:
      router.on_bad_identity(incoming.connection, now_, out_);
      break;
    case Kind::kDry:
    case Kind::kIgnored:
      return;
  }
  apply(&incoming);
}

/// After the frames: libzmq tells of a connection's end before its last frames are read.
void Broker::take_gone() {
  for (const net::ConnectionId connection : parts_.gateway.take_gone(now_)) {
    parts_.router.on_disconnected(connection, now_, out_);
    apply(nullptr);
  }
}

/// Hands over what waits. False: there is more, for the next turn.
bool Broker::send() {
  for (int round = 0; round < kTapRounds; ++round) {
    const bool shown = parts_.tap.open() && parts_.tap.flush(now_, out_);
    if (round > 0 && !shown) return true;
    if (shown) apply(nullptr);
    parts_.router.flush(now_, out_);
    apply(nullptr);
    // What went to peers that do not acknowledge is settled only now.
    parts_.router.on_executed({}, now_, out_);
    apply(nullptr);
  }
  return !parts_.tap.open();
}

/// Executes the step's list, tells the core what did not work, and executes that.
void Broker::apply(const net::Incoming* incoming) {
  for (bool again = true; again;) {
    parts_.gateway.execute(out_, incoming, now_);
    pass_on(incoming);
    out_.clear();
    const std::span<const core::Blocked> blocked = parts_.gateway.blocked();
    const auto unreachable = parts_.gateway.unreachable();
    again = !blocked.empty() || !unreachable.empty();
    if (!again) return;
    if (!blocked.empty()) parts_.router.on_executed(blocked, now_, out_);
    for (const net::ConnectionId connection : unreachable) {
      parts_.router.on_disconnected(connection, now_, out_);
    }
    incoming = nullptr;
  }
}

/// What of a step is not for libzmq: the tap's and the log's.
void Broker::pass_on(const net::Incoming* incoming) {
  // First: who opens the tap is shown what comes after.
  if (!out_.tap.empty()) {
    parts_.tap.take(out_.tap, incoming == nullptr ? Bytes{} : incoming->bytes);
  }
  if (parts_.gateway.has_tap_actions()) {
    for (const core::Action& action : out_.list) {
      if (action.op == core::Op::kUntap) parts_.tap.close(action.session);
      if (action.op != core::Op::kTap && action.op != core::Op::kRecall) continue;
      const Bytes request = Bytes(out_.arena).subspan(action.offset, action.length);
      if (action.op == core::Op::kTap) parts_.tap.open(action.session, request);
      if (action.op == core::Op::kRecall) parts_.tap.recall(action.session, request);
    }
  }
  for (const core::LogLine& line : out_.log) {
    // The levels of a line are the first three of the log's.
    parts_.log.write(static_cast<LogLevel>(line.level), line.text);
  }
}

void Broker::do_chores() {
  next_chores_ = now_.steady_ns + kChoresEvery;
  watch_memory();
  if (parts_.id_floor != nullptr) parts_.id_floor->advance(parts_.router.id_floor());
  if (now_.steady_ns < next_house_) return;
  next_house_ = now_.steady_ns + kHouseEvery;
  for (const net::ConnectionId connection : parts_.gateway.keep_house(now_)) {
    parts_.router.on_connection_forgotten(connection);
  }
  for (const core::LogLine& line : parts_.gateway.take_log()) {
    parts_.log.write(static_cast<LogLevel>(line.level), line.text);
  }
}

void Broker::watch_memory() {
  const std::uint64_t limit = parts_.router.limits().memory;
  // The recorder has a bound of its own, beside that of all else.
  const std::uint64_t recorded = parts_.tap.recorded_bytes();
  const std::uint64_t all = needed_bytes(limit + recorded, [this] {
    parts_.gateway.give_back_memory();
    give_back_free_memory();
  });
  const std::uint64_t bytes = all - std::min(all, recorded);
  parts_.router.set_process_memory(bytes);
  parts_.router.set_recorder({recorded, parts_.tap.recorder_limit(), parts_.tap.oldest_ns()});
  if (bytes > limit) parts_.gateway.expel_hoarders(now_);
}

void Broker::tell_numbers() {
  admin::Snapshot snapshot;
  using AdminPhase = admin::Snapshot::Phase;
  snapshot.phase = phase_ == Phase::kRunning ? AdminPhase::kRunning : AdminPhase::kStopping;
  snapshot.turns = turns_;
  snapshot.frames_received = received_.frames;
  snapshot.bytes_received = received_.bytes;
  snapshot.frames_sent = parts_.gateway.sent().frames;
  snapshot.bytes_sent = parts_.gateway.sent().bytes;
  const tap::Tap& tap = parts_.tap;
  snapshot.recorder_limit = tap.recorder_limit();
  snapshot.recorder_bytes = tap.recorded_bytes();
  snapshot.recorder_records = tap.recorded();
  const std::uint64_t oldest = tap.oldest_ns();
  if (oldest != 0 && oldest < now_.wall_ns) snapshot.recorder_reach_ns = now_.wall_ns - oldest;
  snapshot.missed_records = tap.missed();
  snapshot.core = parts_.router.metrics();
  parts_.snapshots->put(snapshot);
}

void Broker::handle_signals() {
  next_signals_ = now_.steady_ns + kSignalsEvery;
  if (const int signals = parts_.signals.take(); signals > 0) drain(signals);
  if (phase_ != Phase::kDraining) return;
  if (!parts_.router.drained() && now_.steady_ns < drain_until_) return;

  parts_.router.farewell(now_, out_);
  apply(nullptr);
  stop(kLingerMs);
}

void Broker::drain(int signals) {
  if (phase_ == Phase::kDraining || signals > 1) {
    parts_.log.write(LogLevel::kWarning, "stopping why=\"second signal\"");
    return stop(0);
  }
  phase_ = Phase::kDraining;
  drain_until_ = now_.steady_ns + drain_time_;
  parts_.router.drain(now_, out_);
  apply(nullptr);
  [[maybe_unused]] const bool sent = send();
}

void Broker::stop(int linger_ms) {
  phase_ = Phase::kStopped;
  parts_.gateway.close(linger_ms);
  parts_.log.write(LogLevel::kInfo, "stopped");
}

}  // namespace zpost::app
