#include "tests/sim/world/full_world.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "tests/sim/rules.h"
#include "tests/sim/world/deeds.h"

namespace zpost::sim {

using core::Limits;

namespace {

constexpr std::uint64_t kFirstWall = 1'000'000'000'000'000'000;
constexpr int kMostRoundsAtOnce = 20'000;
// Above the queue's limit: one envelope, presence, and answers of the broker.
constexpr std::uint64_t kQueueSlack = 64 << 10;

Limits choose_limits(Dice& dice) {
  Limits limits;
  const auto one_of = [&](std::array<std::uint64_t, 3> values) { return dice.pick(values); };
  limits.max_envelope = one_of({2 << 10, 16 << 10, 64 << 10});
  limits.credit_initial = one_of({1 << 10, 8 << 10, 32 << 10});
  limits.credit_max = limits.credit_initial * one_of({1, 8, 64});
  limits.pair_share = one_of({1, 4, 4});
  limits.window = one_of({2 << 10, 32 << 10, 4 << 20});
  limits.window_frames = one_of({1, 4, 64});
  limits.queue = one_of({4 << 10, 64 << 10, 64 << 20});
  limits.topic_queue = one_of({2 << 10, 64 << 10, 1 << 20});
  limits.retained = one_of({1, 3, 10'000});
  limits.memory = limits.credit_initial * one_of({40, 400, 4000});
  limits.heartbeat_ns = core::kSecond;
  limits.silence_ns = 4 * core::kSecond;
  limits.resume_ns = static_cast<std::int64_t>(one_of({2, 5, 5})) * core::kSecond;
  limits.credit_idle_ns = 2 * core::kSecond;
  limits.newest_wins = dice.once_in(4);
  return limits;
}

}  // namespace

FullWorld::FullWorld(std::uint64_t seed, Tell tell)
    : tell_(std::move(tell)),
      limits_([&] {
        SeededDice dice(seed);
        return choose_limits(dice);
      }()),
      broker_(limits_, kFirstWall) {
  SeededDice dice(seed + 1);
  broker_.start(now_);
  add_seats(dice);
}

void FullWorld::add_seats(Dice& dice) {
  constexpr std::array<const char*, 4> kNames{"alice", "bob", "carol", "dave"};
  const std::uint64_t count = dice.between(2, kNames.size());
  for (std::uint64_t i = 0; i < count; ++i) {
    seats_.push_back({kNames[i], false, nullptr});
    if (dice.once_in(4)) seats_.push_back({kNames[i], true, nullptr});
  }
  for (Seat& seat : seats_) {
    if (!seat.is_double) start_program(seat, dice);
  }
  if (dice.once_in(2)) {
    plain_client_ = std::make_unique<PlainClient>(
        "peggy", dice.below(UINT64_MAX), books_.letters, broker_,
        tell_ ? [this](const std::string& line) { say(line); } : PlainClient::Tell());
  }
}

std::string FullWorld::some_name(Dice& dice) const {
  if (dice.once_in(20)) return "nobody";
  if (plain_client_ != nullptr && dice.once_in(6)) return plain_client_->name();
  return dice.pick(seats_).name;
}

std::size_t FullWorld::some_size(Dice& dice) const {
  const std::uint64_t most = limits_.max_envelope - 100;
  if (dice.once_in(20)) return most;
  // A frame above 8 KiB may be forwarded whole.
  return dice.once_in(3) ? dice.between(16, std::min<std::uint64_t>(most, 12 << 10))
                         : dice.between(16, 200);
}

void FullWorld::start_program(Seat& seat, Dice& dice) {
  Program::Settings settings;
  peer::Options& options = settings.options;
  options.name = seat.name;
  options.software = "sim";
  options.reconnect_last = std::chrono::milliseconds(200);
  options.outcomes = peer::OutcomeReports::kAll;
  options.wait_for_name = dice.once_in(2);
  if (dice.once_in(4)) options.window_bytes = dice.between(1, 10'000);
  if (dice.once_in(4)) options.window_frames = dice.between(1, 8);
  if (dice.once_in(6)) options.demand = dice.between(1, 20);
  if (dice.once_in(6)) options.take = peer::TakeMode::kExplicit;
  constexpr std::array<Reading, 5> kReadings{Reading::kCallback, Reading::kCallback,
                                             Reading::kByHand, Reading::kByHand, Reading::kNever};
  settings.reading = dice.pick(kReadings);
  settings.answers = !dice.once_in(4);
  settings.echoes = dice.once_in(4) ? dice.between(1, 2) : 0;
  settings.seed = dice.below(UINT64_MAX);
  settings.newest_wins = limits_.newest_wins;
  seat.program = std::make_unique<Program>(
      settings, books_, broker_,
      tell_ ? [this](const std::string& line) { say(line); } : Program::Tell());
  seat.program->be_at(now_);
  say(seat.program->title() + " starts");
}

void FullWorld::say(const std::string& line) const {
  if (tell_) tell_(fmt::format("{:>12.3f} ms  {}", static_cast<double>(now_) / kMilli, line));
}

// ---- Steps and time
// ------------------------------------------------------------------------------

void FullWorld::step(const Decision& decision) {
  SeededDice dice(decision.seed);
  const Deed& deed = deed_at(decision.deed);
  say(fmt::format("---- {}", deed.name));
  deed.act(*this, dice);
  constexpr std::array<Moment, 8> kSpans{0,           50 * kMicrosecond, 300 * kMicrosecond,
                                         kMilli,      3 * kMilli,        10 * kMilli,
                                         40 * kMilli, 300 * kMilli};
  advance(dice.pick(kSpans));
}

Moment FullWorld::next() const {
  Moment next = broker_.next();
  for (const Seat& seat : seats_) {
    if (seat.program != nullptr) next = std::min(next, seat.program->next());
  }
  if (plain_client_ != nullptr) next = std::min(next, plain_client_->next());
  return next;
}

void FullWorld::advance(Moment span) {
  const Moment until = now_ + span;
  do_what_is_due();
  int rounds = 0;
  while (true) {
    const Moment due = next();
    if (due > until) break;
    if (due > now_) {
      now_ = due;
      rounds = 0;
    }
    insist(++rounds < kMostRoundsAtOnce, "time goes on",
           [&] { return fmt::format("nothing comes to rest at {} ns", now_); });
    do_what_is_due();
  }
  now_ = until;
  do_what_is_due();
}

void FullWorld::do_what_is_due() {
  broker_.advance(now_);
  tell_log();
  for (Seat& seat : seats_) {
    if (seat.program == nullptr) continue;
    seat.program->be_at(now_);
    seat.program->advance(now_);
  }
  if (plain_client_ != nullptr) plain_client_->advance(now_);
  check();
}

void FullWorld::check() {
  if (!broker_.runs()) return;
  const core::Router& router = broker_.world().router();
  const std::uint64_t largest = broker_.world().largest_queue();
  // Publishers that a subscriber holds up may each have sent what their credit allows.
  const std::uint64_t topics = limits_.topic_queue + seats_.size() * limits_.credit_max +
                               limits_.memory / 8;  // And retained values.
  insist(largest <= limits_.queue + topics + limits_.max_envelope + kQueueSlack, "queue",
         [&] { return fmt::format("a queue of {} bytes", largest); });
  insist(router.held_bytes() - router.gap_bytes() <= limits_.memory, "memory",
         [&] { return fmt::format("{} bytes are held", router.held_bytes()); });
}

/// What the broker logs. A library never breaks the protocol; a plain client may say hello again,
/// since it does not know what became of the first.
void FullWorld::tell_log() {
  for (const std::string& line : broker_.take_log()) {
    say("  (" + line + ")");
    const bool excused = line.find("hello within a session") != std::string::npos &&
                         plain_client_ != nullptr &&
                         line.find("name=" + plain_client_->name()) != std::string::npos;
    insist(line.rfind("violation", 0) != 0 || excused, "libraries keep to the page",
           [&] { return line; });
  }
}

}  // namespace zpost::sim
