// What befalls processes, connections and clocks: a function and a line of the table for each.
#include <array>

#include "tests/sim/world/deeds.h"
#include "tests/sim/world/full_world.h"

namespace zpost::sim {

namespace {

Program* some_living_program(FullWorld& world, Dice& dice) {
  Program* const program = dice.pick(world.seats()).program.get();
  return program == nullptr || program->over() ? nullptr : program;
}

Wire* some_wire(FullWorld& world, Dice& dice) {
  if (world.plain_client() != nullptr && dice.once_in(4)) return world.plain_client()->wire();
  Program* const program = some_living_program(world, dice);
  if (program == nullptr) return nullptr;
  program->note_trouble();
  return program->wire();
}

void connection_is_cut(FullWorld& world, Dice& dice) {
  Wire* const wire = some_wire(world, dice);
  if (wire == nullptr) return;
  world.say("the connection of " + wire->name() + " is cut");
  wire->cut(world.now(), dice);
  if (!dice.once_in(3)) return;
  // What libzmq had not passed on of it may come under an identity of libzmq's own.
  for (const std::string& frame : wire->take_lost()) world.broker().hear_stranger(frame);
}

void half_open(FullWorld& world, Dice& dice) {
  Wire* const wire = some_wire(world, dice);
  if (wire == nullptr) return;
  const std::uint64_t which = dice.below(3);
  world.say("the connection of " + wire->name() + " is half open");
  wire->stall(which != 0, which != 1);
}

void goes_on(FullWorld& world, Dice& dice) {
  Wire* const wire = some_wire(world, dice);
  if (wire == nullptr || !wire->stalled()) return;
  world.say("the connection of " + wire->name() + " goes on");
  wire->go_on(world.now());
}

void is_killed(FullWorld& world, Dice& dice) {
  if (Program* const program = some_living_program(world, dice)) program->kill();
}

void stands_still(FullWorld& world, Dice& dice) {
  if (Program* const program = some_living_program(world, dice)) program->stop(true);
}

void goes_on_running(FullWorld& world, Dice& dice) {
  if (Program* const program = some_living_program(world, dice)) program->stop(false);
}

void broker_crashes(FullWorld& world, Dice& dice) {
  world.say("the broker crashes");
  world.broker().crash(world.now());
  world.advance(static_cast<Moment>(dice.below(300)) * kMilli);
  world.say("the broker starts");
  world.broker().start(world.now());
}

void broker_drains(FullWorld& world, Dice& dice) {
  if (!world.broker().runs()) return;
  world.say("the broker drains");
  world.broker().drain();
  world.advance(static_cast<Moment>(dice.below(500)) * kMilli);
  world.broker().stop(world.now());
  world.advance(static_cast<Moment>(dice.below(300)) * kMilli);
  world.say("the broker starts");
  world.broker().start(world.now());
}

void broker_stands_still(FullWorld& world, Dice& dice) {
  world.broker().stand_still(world.now() + static_cast<Moment>(dice.below(60)) * kMilli);
}

void wall_clock_jumps(FullWorld& world, Dice& dice) {
  constexpr std::array<std::int64_t, 6> kJumps{-86'400 * kSec, -kSec, -kMilli,
                                               kMilli,         kSec,  86'400 * kSec};
  const std::int64_t jump = dice.pick(kJumps);
  world.broker().set_wall(world.broker().wall() + static_cast<std::uint64_t>(jump));
}

void memory_is_short(FullWorld& world, Dice& dice) {
  if (!world.broker().runs()) return;
  const bool is_short = dice.once_in(2);
  world.broker().world().router().set_process_memory(is_short ? world.limits().memory + 1 : 0);
}

void time_passes(FullWorld& world, Dice& dice) {
  constexpr std::array<Moment, 4> kSpans{100 * kMilli, 700 * kMilli, 3 * kSec, 9 * kSec};
  world.advance(dice.pick(kSpans));
}

constexpr Deed kTroubles[] = {
    {"a connection is cut", 4, connection_is_cut},
    {"a connection is half open", 2, half_open},
    {"a connection goes on", 2, goes_on},
    {"a program is killed", 2, is_killed},
    {"a process stands still", 2, stands_still},
    {"a process goes on", 3, goes_on_running},
    {"the broker crashes", 1, broker_crashes},
    {"the broker is stopped", 1, broker_drains},
    {"the broker stands still", 2, broker_stands_still},
    {"the wall clock jumps", 2, wall_clock_jumps},
    {"memory is short, or not", 1, memory_is_short},
    {"time passes", 4, time_passes},
};

}  // namespace

std::span<const Deed> troubles() {
  return kTroubles;
}

}  // namespace zpost::sim
