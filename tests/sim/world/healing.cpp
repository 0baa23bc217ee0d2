// The end of a history: what is broken works again, everyone reads, and nothing may stay open.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "tests/sim/rules.h"
#include "tests/sim/world/full_world.h"

namespace zpost::sim {

namespace {

// Ends of connections that nobody has noticed, silence and the end of `away` come to light.
constexpr Moment kUntilAllIsKnown = 15 * kSec;  // A half-open connection stays so: both give it up.
constexpr Moment kRound = 50 * kMilli;
constexpr int kMostRounds = 1'200;  // A minute: above resume, silence, and every request's timeout.
constexpr int kRoundsOfExchange = 100;
constexpr int kNotices = 40;

}  // namespace

void FullWorld::heal() {
  say("---- everything heals");
  end_doubles();
  repair();
  advance(kUntilAllIsKnown);
  come_to_rest();
  exchange_letters();
  exchange_notices();
  exchange_calls();
  all_leave();
}

/// One program a name.
void FullWorld::end_doubles() {
  for (Seat& seat : seats_) {
    if (seat.is_double && seat.program != nullptr) seat.program->kill();
  }
}

void FullWorld::repair() {
  broker_.start(now_);
  broker_.world().router().set_process_memory(0);
  for (Seat& seat : seats_) {
    if (!seat.is_double) repair(seat);
  }
}

void FullWorld::repair(Seat& seat) {
  if (seat.program == nullptr || seat.program->over()) {
    SeededDice dice(static_cast<std::uint64_t>(now_));
    start_program(seat, dice);
  }
  Program& program = *seat.program;
  program.stop(false);
  program.set_reading(Reading::kCallback);
  program.set_echoes(0);
  program.set_answers(true);
  program.add_demand(1'000'000);
}

void FullWorld::come_to_rest() {
  for (int round = 0; round < kMostRounds && !at_rest(); ++round) {
    for (Seat& seat : seats_) {
      // Refused for good, while a double was there.
      if (!seat.is_double && seat.program->over()) repair(seat);
    }
    advance(kRound);
  }
  insist(at_rest(), "all comes to rest", [&] { return what_is_left(); });
  insist(books_.letters.open_letters().empty(), "every letter has its outcome",
         [&] { return books_.letters.open_letters(); });
  insist(books_.notices.open_notices().empty(), "every notice has its outcome",
         [&] { return books_.notices.open_notices(); });
  insist(books_.calls.open_calls().empty(), "every call has its outcome",
         [&] { return books_.calls.open_calls(); });
  // What is told of the last outcomes is on its way, at most, to one that reads slowly.
  const core::Router& router = broker_.world().router();
  for (int round = 0; round < kMostRounds && router.held_bytes() != 0; ++round) advance(kRound);
  insist(router.held_bytes() == 0, "nothing is held",
         [&] { return fmt::format("{} bytes are", router.held_bytes()); });
}

bool FullWorld::at_rest() const {
  return broker_.world().router().accounting().held == 0 &&
         std::all_of(seats_.begin(), seats_.end(), [](const Seat& seat) {
           return seat.is_double || (seat.program->active() && seat.program->quiet());
         });
}

std::string FullWorld::what_is_left() const {
  std::string text = fmt::format("held={}", broker_.world().router().accounting().held);
  for (const Seat& seat : seats_) {
    if (seat.is_double) continue;
    const Program& program = *seat.program;
    text += fmt::format("; {} {} unsettled={} inbox={}", program.title(),
                        program.active() ? "active" : "not active", program.state().unsettled(),
                        program.state().inbox().empty() ? "empty" : "full");
  }
  const std::string open = books_.letters.open_letters();
  return text + "; " + open + books_.notices.open_notices() + books_.calls.open_calls();
}

/// Where nothing is broken everything is delivered, soon.
void FullWorld::exchange_letters() {
  say("---- everyone writes to everyone");
  const std::uint64_t failed = broker_.world().router().accounting().failed;
  for (Seat& from : seats_) {
    if (from.is_double) continue;
    for (const Seat& to : seats_) {
      if (!to.is_double) from.program->send(to.name, 3, 100);
    }
  }
  for (int round = 0; round < kRoundsOfExchange && !at_rest(); ++round) advance(kRound);
  insist(at_rest(), "letters flow after all has healed", [&] { return what_is_left(); });
  insist(broker_.world().router().accounting().failed == failed,
         "letters are delivered after all has healed", [&] { return what_is_left(); });
}

/// Every subscriber hears of every notice: is given it, or told that it missed it.
void FullWorld::exchange_notices() {
  say("---- everyone publishes to everyone");
  std::uint64_t publishers = 0;
  for (Seat& seat : seats_) {
    if (seat.is_double) continue;
    seat.program->unsubscribe_all();  // Their policies might end it.
    seat.program->subscribe({.pattern = "**", .skips_retained = true});
    ++publishers;
  }
  advance(kRound);
  std::map<const Program*, std::uint64_t> before;
  for (const Seat& seat : seats_) {
    if (!seat.is_double) before[seat.program.get()] = heard_of(seat);
  }
  for (Seat& seat : seats_) {
    for (int i = 0; !seat.is_double && i < kNotices; ++i) {
      while (!seat.program->publish("a/x", 100, {})) advance(kRound);
    }
  }
  for (int round = 0; round < kRoundsOfExchange && !at_rest(); ++round) advance(kRound);
  insist(at_rest(), "notices flow after all has healed", [&] { return what_is_left(); });
  for (const Seat& seat : seats_) {
    if (seat.is_double) continue;
    const std::uint64_t heard = heard_of(seat) - before[seat.program.get()];
    insist(heard == publishers * kNotices, "every subscriber hears of every notice", [&] {
      return fmt::format("{} heard of {} notices of {}", seat.program->title(), heard,
                         publishers * kNotices);
    });
  }
}

std::uint64_t FullWorld::heard_of(const Seat& seat) const {
  return books_.notices.heard_of(seat.program->instance());
}

/// Where somebody works every call is answered.
void FullWorld::exchange_calls() {
  say("---- everyone calls everyone");
  for (Seat& seat : seats_) {
    if (!seat.is_double) seat.program->offer("work", 2);
  }
  advance(kRound);
  const std::uint64_t failed = broker_.world().router().accounting().failed;
  for (Seat& seat : seats_) {
    for (int i = 0; !seat.is_double && i < 3; ++i) {
      while (!seat.program->call("work", 100, 20 * kSec, false)) advance(kRound);
    }
  }
  for (int round = 0; round < kRoundsOfExchange && !at_rest(); ++round) advance(kRound);
  insist(at_rest(), "calls are answered after all has healed", [&] { return what_is_left(); });
  insist(broker_.world().router().accounting().failed == failed,
         "calls are answered after all has healed", [&] { return what_is_left(); });
}

/// Then the broker knows of nobody.
void FullWorld::all_leave() {
  say("---- all leave");
  for (Seat& seat : seats_) {
    if (seat.program != nullptr) seat.program->close();
  }
  if (plain_client_ != nullptr) plain_client_->end();
  plain_client_.reset();
  advance(kUntilAllIsKnown);
  const core::Router& router = broker_.world().router();
  insist(router.sessions() == 0 && router.expected() == 0 && router.held_bytes() == 0 &&
             router.pairs() == 0,
         "nothing is left behind", [&] {
           return fmt::format("{} sessions, {} expected, {} bytes, {} pairs", router.sessions(),
                              router.expected(), router.held_bytes(), router.pairs());
         });
}

}  // namespace zpost::sim
