// What can happen in the world: the table of what programs do and of what befalls them.
//
// To add something, write a function in programs_do.cpp or troubles.cpp and a line in its table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tests/sim/dice.h"

namespace zpost::sim {

class FullWorld;

struct Deed {
  const char* name = "";
  std::uint64_t weight = 1;  // How often, in proportion to the others.
  void (*act)(FullWorld& world, Dice& dice) = nullptr;
};

/// What programs do (programs_do.cpp).
[[nodiscard]] std::span<const Deed> program_deeds();
/// What befalls processes, connections and clocks (troubles.cpp).
[[nodiscard]] std::span<const Deed> troubles();

/// Of both tables.
[[nodiscard]] std::size_t deed_count();
[[nodiscard]] const Deed& deed_at(std::size_t index);

}  // namespace zpost::sim
