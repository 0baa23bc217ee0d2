// A history of the routing core from a seed, of which steps can be left out.
#pragma once

#include <cstdint>

#include "tests/sim/simulation.h"

namespace zpost::sim {

/// See Simulation::play. Each step has its own chance, so that leaving one out leaves the others
/// what they are: who does what. What comes of that may differ.
[[nodiscard]] std::uint64_t play_core(const Excerpt& excerpt, const Tell& tell);

}  // namespace zpost::sim
