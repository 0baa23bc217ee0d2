// Plays random histories of the whole world. One that fails is made shorter and told in words;
// `world_sim --seed N --histories 1 --keep … --tell` plays it again.
#include <cstdint>
#include <vector>

#include "tests/sim/simulation.h"
#include "tests/sim/world/full_world.h"

namespace {

using namespace zpost::sim;  // NOLINT(google-build-using-namespace): a program of one file.

std::uint64_t play(const Excerpt& excerpt, const Tell& tell) {
  const std::vector<Decision> decisions = choose_decisions(excerpt.seed, excerpt.steps);
  FullWorld world(excerpt.seed, tell);
  for (const std::size_t place : excerpt.kept) world.step(decisions[place]);
  world.heal();
  return world.letters();
}

}  // namespace

int main(int argc, char** argv) {
  return run_simulation(
      {.program = "world_sim",
       .about = "Random histories of broker, libraries and connections, checked at every step",
       .counted = "letters",
       .steps = 60,
       .play = play},
      argc, argv);
}
