// A history is a list of decisions. Each has its own chance, so that leaving one out leaves the
// others what they are: a history that fails can be made shorter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tests/sim/dice.h"

namespace zpost::sim {

struct Decision {
  std::size_t deed = 0;    // Which, of the table in deeds.h.
  std::uint64_t seed = 0;  // Of what is chance in it.
};

[[nodiscard]] std::vector<Decision> choose_decisions(std::uint64_t seed, std::size_t count);

}  // namespace zpost::sim
