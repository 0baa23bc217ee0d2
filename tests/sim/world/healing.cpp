// The end of a history: what is broken works again, everyone reads, and nothing may stay open.
#include <fmt/format.h>

#include <algorithm>

#include "tests/sim/world/full_world.h"
#include "tests/sim/world/rules.h"

namespace zpost::sim {

namespace {

// Ends of connections that nobody has noticed, silence and the end of `away` come to light.
constexpr Moment kUntilAllIsKnown = 15 * kSec;  // A half-open connection stays so: both give it up.
constexpr Moment kRound = 50 * kMilli;
constexpr int kMostRounds = 1'200;  // A minute: above resume, silence, and every request's timeout.
constexpr int kRoundsOfExchange = 100;

}  // namespace

void FullWorld::heal() {
  say("---- everything heals");
  end_doubles();
  repair();
  advance(kUntilAllIsKnown);
  come_to_rest();
  exchange_letters();
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
  insist(book_.open_letters().empty(), "every letter has its outcome",
         [&] { return book_.open_letters(); });
  insist(broker_.world().router().held_bytes() == 0, "nothing is held",
         [&] { return fmt::format("{} bytes are", broker_.world().router().held_bytes()); });
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
  const std::string open = book_.open_letters();
  return open.empty() ? text : text + "; " + open;
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
