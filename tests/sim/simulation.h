// What core_sim and world_sim have in common: flags, one seed after the other, and what is said of
// a history that fails.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "tests/sim/shrink.h"

namespace zpost::sim {

/// Gets a line for all that happens; may be empty.
using Tell = std::function<void(const std::string&)>;

/// A history, or what is left of one.
struct Excerpt {
  std::uint64_t seed = 1;
  std::size_t steps = 0;  // Decisions in all of it.
  Places kept;            // Below `steps`.
};

struct Simulation {
  std::string program;  // Its name, for the line that plays a history again.
  std::string about;
  std::string counted;    // What its histories consist of: envelopes, letters.
  std::size_t steps = 0;  // Unless --steps says otherwise.
  /// Plays the decisions that are kept; then everything must come to rest. Equal excerpts are
  /// played alike. The number of what is counted; throws (rules.h) when a rule is broken.
  std::function<std::uint64_t(const Excerpt& excerpt, const Tell& tell)> play;
};

/// A program's main(): 0, or 1 when a history failed, which is then made shorter and told.
[[nodiscard]] int run_simulation(const Simulation& simulation, int argc, const char* const* argv);

}  // namespace zpost::sim
