// What a program does: one small function and one line of the table for each.
#include <array>

#include "tests/sim/world/deeds.h"
#include "tests/sim/world/full_world.h"

namespace zpost::sim {

namespace {

/// Some program that runs and does not stand still; null if it is none.
Program* some_program(FullWorld& world, Dice& dice) {
  Program* const program = dice.pick(world.seats()).program.get();
  if (program == nullptr || program->over() || program->stopped()) return nullptr;
  return program;
}

void sends_one(FullWorld& world, Dice& dice) {
  if (Program* const program = some_program(world, dice)) {
    program->send(world.some_name(dice), 1, world.some_size(dice));
  }
}

void sends_many(FullWorld& world, Dice& dice) {
  if (Program* const program = some_program(world, dice)) {
    program->send(world.some_name(dice), dice.between(2, 40), world.some_size(dice));
  }
}

void sends_around(FullWorld& world, Dice& dice) {
  if (Program* const program = some_program(world, dice)) {
    for (std::uint64_t i = dice.between(2, 12); i > 0; --i) {
      program->send(world.some_name(dice), 1, world.some_size(dice));
    }
  }
}

void sends_a_span(FullWorld& world, Dice& dice) {
  if (Program* const program = some_program(world, dice)) {
    program->send_span(world.some_name(dice), dice.between(1, 60), world.some_size(dice));
  }
}

void requests(FullWorld& world, Dice& dice) {
  if (Program* const program = some_program(world, dice)) {
    constexpr std::array<Moment, 3> kTimeouts{20 * kMilli, kSec, 20 * kSec};
    (void)program->request(world.some_name(dice), world.some_size(dice), dice.pick(kTimeouts));
  }
}

void asks_the_broker(FullWorld& world, Dice& dice) {
  if (Program* const program = some_program(world, dice)) {
    (void)program->ask(dice.once_in(2) ? "stats" : "who", 5 * kSec);
  }
}

void receives(FullWorld& world, Dice& dice) {
  if (Program* const program = some_program(world, dice)) {
    program->receive(dice.once_in(3) ? 100 : dice.between(1, 4));
  }
}

void receives_a_batch(FullWorld& world, Dice& dice) {
  if (Program* const program = some_program(world, dice)) {
    program->receive_batch(dice.once_in(3) ? 1000 : dice.between(1, 8));
  }
}

void takes(FullWorld& world, Dice& dice) {
  if (Program* const program = some_program(world, dice)) program->take();
}

void wants_more(FullWorld& world, Dice& dice) {
  if (Program* const program = some_program(world, dice)) program->add_demand(dice.between(1, 10));
}

void watches(FullWorld& world, Dice& dice) {
  if (Program* const program = some_program(world, dice)) {
    program->watch(dice.once_in(2) ? "*" : world.some_name(dice));
  }
}

// Few, so that they meet.
constexpr std::array<const char*, 4> kTopics{"a/x", "a/y", "b/x", "b/y"};
constexpr std::array<const char*, 5> kPatterns{"a/x", "a/*", "*/y", "b/**", "**"};
constexpr std::array<const char*, 2> kServices{"work", "rest"};

void subscribes(FullWorld& world, Dice& dice) {
  if (Program* const program = some_program(world, dice)) {
    constexpr std::array<SlowPolicy, 5> kPolicies{SlowPolicy::kDropOldest, SlowPolicy::kDropOldest,
                                                  SlowPolicy::kBlock, SlowPolicy::kBlock,
                                                  SlowPolicy::kDisconnect};
    program->subscribe(
        {dice.pick(kPatterns), dice.pick(kPolicies), dice.once_in(3), dice.once_in(2)});
  }
}

void unsubscribes(FullWorld& world, Dice& dice) {
  if (Program* const program = some_program(world, dice)) {
    program->unsubscribe(dice.pick(kPatterns));
  }
}

void publishes(FullWorld& world, Dice& dice) {
  Program* const program = some_program(world, dice);
  if (program == nullptr) return;
  Meta meta;
  meta.retain = dice.once_in(5);
  if (dice.once_in(5)) meta.wanted = kWantSubscriber;
  if (dice.once_in(8)) meta.wanted |= kWantCount;
  const std::size_t size = world.some_size(dice);
  const std::string topic = dice.pick(kTopics);
  for (std::uint64_t i = dice.once_in(2) ? 1 : dice.between(2, 60); i > 0; --i) {
    if (!program->publish(topic, size, meta)) return;
  }
}

void offers(FullWorld& world, Dice& dice) {
  if (Program* const program = some_program(world, dice)) {
    program->offer(dice.pick(kServices), dice.between(1, 4));
  }
}

void withdraws(FullWorld& world, Dice& dice) {
  if (Program* const program = some_program(world, dice)) program->withdraw(dice.pick(kServices));
}

void calls(FullWorld& world, Dice& dice) {
  Program* const program = some_program(world, dice);
  if (program == nullptr) return;
  constexpr std::array<Moment, 3> kTimeouts{20 * kMilli, kSec, 20 * kSec};
  const Moment timeout = dice.pick(kTimeouts);
  const bool idempotent = dice.once_in(2);
  for (std::uint64_t i = dice.between(1, 6); i > 0; --i) {
    if (!program->call(dice.pick(kServices), world.some_size(dice), timeout, idempotent)) return;
  }
}

void cancels(FullWorld& world, Dice& dice) {
  if (Program* const program = some_program(world, dice)) program->cancel_some(dice);
}

void flushes(FullWorld& world, Dice& dice) {
  if (Program* const program = some_program(world, dice)) program->flush();
}

void reads_otherwise(FullWorld& world, Dice& dice) {
  if (Program* const program = some_program(world, dice)) {
    constexpr std::array<Reading, 3> kReadings{Reading::kCallback, Reading::kByHand,
                                               Reading::kNever};
    program->set_reading(dice.pick(kReadings));
    program->set_echoes(dice.once_in(3) ? dice.between(1, 2) : 0);
  }
}

void closes(FullWorld& world, Dice& dice) {
  if (Program* const program = some_program(world, dice)) program->close();
}

/// A free seat is taken, often by someone whose name is in use.
void starts(FullWorld& world, Dice& dice) {
  FullWorld::Seat& seat = dice.pick(world.seats());
  if (seat.program != nullptr && !seat.program->over()) return;
  world.start_program(seat, dice);
}

void plain_client_sends(FullWorld& world, Dice& dice) {
  if (PlainClient* const client = world.plain_client()) client->send(world.some_name(dice));
}

void plain_client_leaves(FullWorld& world, Dice& /*dice*/) {
  if (PlainClient* const client = world.plain_client()) client->goodbye();
}

constexpr Deed kDeeds[] = {
    {"a program sends one", 12, sends_one},
    {"a program sends many", 8, sends_many},
    {"a program sends to several", 8, sends_around},
    {"a program sends a span", 6, sends_a_span},
    {"a program requests", 8, requests},
    {"a program asks the broker", 2, asks_the_broker},
    {"a program receives", 12, receives},
    {"a program receives a batch", 5, receives_a_batch},
    {"a program takes", 5, takes},
    {"a program wants more", 3, wants_more},
    {"a program watches", 1, watches},
    {"a program subscribes", 5, subscribes},
    {"a program unsubscribes", 1, unsubscribes},
    {"a program publishes", 12, publishes},
    {"a program offers a service", 4, offers},
    {"a program withdraws a service", 1, withdraws},
    {"a program calls a service", 10, calls},
    {"a program cancels a call", 2, cancels},
    {"a program flushes", 2, flushes},
    {"a program reads in another way", 3, reads_otherwise},
    {"a program closes", 2, closes},
    {"a program starts", 6, starts},
    {"a plain client sends", 8, plain_client_sends},
    {"a plain client leaves", 1, plain_client_leaves},
};

}  // namespace

std::span<const Deed> program_deeds() {
  return kDeeds;
}

}  // namespace zpost::sim
