#include "tests/sim/core_play.h"

#include <vector>

#include "tests/sim/history.h"

namespace zpost::sim {

namespace {

/// One for each step, and one for the end. The end's is drawn first: it is the same however many
/// steps there are.
std::vector<SeededDice> choose_chances(const Excerpt& excerpt) {
  SeededDice dice(excerpt.seed + 1);  // Apart from what chooses limits and peers.
  const SeededDice end(dice.below(UINT64_MAX));
  std::vector<SeededDice> chances;
  while (chances.size() < excerpt.steps) chances.emplace_back(dice.below(UINT64_MAX));
  chances.push_back(end);
  return chances;
}

}  // namespace

std::uint64_t play_core(const Excerpt& excerpt, const Tell& tell) {
  SeededDice dice(excerpt.seed);
  History history(dice, tell);
  history.begin();
  const std::vector<SeededDice> chances = choose_chances(excerpt);
  for (const std::size_t place : excerpt.kept) {
    dice = chances[place];
    history.step();
  }
  dice = chances.back();
  history.settle_down();
  return history.envelopes();
}

}  // namespace zpost::sim
