// A broker's core, library state machines and the connections between them, in virtual time.
//
// What happens is a list of decisions (decisions.h). Each step is checked; at the end everything
// heals, and then nothing may be left open. docs/simulation.md tells it in words.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/dice.h"
#include "tests/sim/world/broker_host.h"
#include "tests/sim/world/decisions.h"
#include "tests/sim/world/letter_book.h"
#include "tests/sim/world/plain_client.h"
#include "tests/sim/world/program.h"

namespace zpost::sim {

class FullWorld {
 public:
  using Tell = std::function<void(const std::string&)>;

  /// `seed` chooses limits and programs. `tell`, unless empty, gets a line for all that happens.
  FullWorld(std::uint64_t seed, Tell tell);

  /// One decision, and what follows from it in the time it lets pass.
  void step(const Decision& decision);
  /// Everything that is broken works again: all must come to rest, and all accounts be settled.
  void heal();

  [[nodiscard]] std::uint64_t letters() const { return books_.letters.written(); }

  // --- For deeds and troubles ------------------------------------------------------------------

  /// A program's place: a name, and who runs under it now.
  struct Seat {
    std::string name;
    bool is_double = false;  // Of another seat with the same name.
    std::unique_ptr<Program> program;
  };

  [[nodiscard]] std::vector<Seat>& seats() { return seats_; }

  /// Null in histories without one.
  [[nodiscard]] PlainClient* plain_client() { return plain_client_.get(); }

  [[nodiscard]] BrokerHost& broker() { return broker_; }

  [[nodiscard]] Moment now() const { return now_; }

  [[nodiscard]] const core::Limits& limits() const { return limits_; }

  /// Somebody's name, or nobody's.
  [[nodiscard]] std::string some_name(Dice& dice) const;
  [[nodiscard]] std::size_t some_size(Dice& dice) const;
  /// A new program takes the seat.
  void start_program(Seat& seat, Dice& dice);
  void advance(Moment span);
  void say(const std::string& line) const;

 private:
  // full_world.cpp
  void add_seats(Dice& dice);
  void do_what_is_due();
  [[nodiscard]] Moment next() const;
  void check();
  void tell_log();

  // healing.cpp
  void end_doubles();
  void repair();
  void repair(Seat& seat);
  void come_to_rest();
  [[nodiscard]] bool at_rest() const;
  [[nodiscard]] std::string what_is_left() const;
  void exchange_letters();
  void exchange_notices();
  [[nodiscard]] std::uint64_t heard_of(const Seat& seat) const;
  void exchange_calls();
  void all_leave();

  Tell tell_;
  core::Limits limits_;
  Moment now_ = 0;
  Books books_;
  BrokerHost broker_;
  std::vector<Seat> seats_;
  std::unique_ptr<PlainClient> plain_client_;
};

}  // namespace zpost::sim
