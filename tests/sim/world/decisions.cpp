#include "tests/sim/world/decisions.h"

#include "tests/sim/world/deeds.h"

namespace zpost::sim {

std::size_t deed_count() {
  return program_deeds().size() + troubles().size();
}

const Deed& deed_at(std::size_t index) {
  const std::span<const Deed> first = program_deeds();
  return index < first.size() ? first[index] : troubles()[index - first.size()];
}

std::vector<Decision> choose_decisions(std::uint64_t seed, std::size_t count) {
  SeededDice dice(seed + 2);
  std::uint64_t weights = 0;
  for (std::size_t i = 0; i < deed_count(); ++i) weights += deed_at(i).weight;
  std::vector<Decision> decisions;
  while (decisions.size() < count) {
    std::uint64_t at = dice.below(weights);
    std::size_t deed = 0;
    for (; at >= deed_at(deed).weight; ++deed) at -= deed_at(deed).weight;
    decisions.push_back({deed, dice.below(UINT64_MAX)});
  }
  return decisions;
}

}  // namespace zpost::sim
