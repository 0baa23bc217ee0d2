// What the figures of a fairness run say.
#include <algorithm>

#include "tools/bench/fairness.h"

namespace zpost::bench {
namespace {

std::optional<Spread> spread_over(const std::vector<FairnessRound>& rounds,
                                  std::optional<double> (FairnessRound::*figure)() const) {
  std::vector<double> values;
  for (const FairnessRound& round : rounds) {
    if (const auto value = (round.*figure)()) values.push_back(*value);
  }
  return spread(std::move(values));
}

}  // namespace

const char* word_for(Phase phase) {
  switch (phase) {
    case Phase::kIdle:
      return "idle";
    case Phase::kFlood:
      return "flood";
    case Phase::kEven:
      return "even";
  }
  return "";
}

const PhaseRun& FairnessRound::of(Phase phase) const {
  if (phase == Phase::kIdle) return idle;
  return phase == Phase::kFlood ? flood : even;
}

PhaseRun& FairnessRound::of(Phase phase) {
  if (phase == Phase::kIdle) return idle;
  return phase == Phase::kFlood ? flood : even;
}

std::optional<double> FairnessRound::p99_ratio() const {
  if (!finished() || even.microseconds.p99 <= 0) return std::nullopt;
  return flood.microseconds.p99 / even.microseconds.p99;
}

std::optional<double> FairnessRound::load_ratio() const {
  if (!finished() || flood.per_second <= 0) return std::nullopt;
  return even.per_second / flood.per_second;
}

std::optional<Spread> FairnessRun::p99_ratio() const {
  return spread_over(rounds, &FairnessRound::p99_ratio);
}

std::optional<Spread> FairnessRun::load_ratio() const {
  return spread_over(rounds, &FairnessRound::load_ratio);
}

bool FairnessRun::exceeds(double most) const {
  const auto ratio = p99_ratio();
  return ratio && ratio->median > most;
}

bool FairnessRun::flawless() const {
  return std::ranges::all_of(rounds, [](const FairnessRound& round) {
    return round.idle.flawless() && round.flood.flawless() && round.even.flawless();
  });
}

}  // namespace zpost::bench
