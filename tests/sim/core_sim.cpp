// Plays random histories of peers around the routing core. One that fails is made shorter and told
// in words; `core_sim --seed N --histories 1 --keep … --tell` plays it again.
#include "tests/sim/core_play.h"

int main(int argc, char** argv) {
  return zpost::sim::run_simulation(
      {.program = "core_sim",
       .about = "Random histories through the routing core, checked at every step",
       .counted = "envelopes",
       .steps = 300,
       .play = zpost::sim::play_core},
      argc, argv);
}
