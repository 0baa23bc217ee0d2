#include <gtest/gtest.h>

#include "tools/bench/fairness.h"

namespace zpost::bench {
namespace {

PhaseRun phase_with(double p99, double per_second) {
  PhaseRun run;
  run.microseconds.p99 = p99;
  run.per_second = per_second;
  return run;
}

FairnessRound round_with(double flood_p99, double even_p99) {
  FairnessRound round;
  round.idle = phase_with(100, 0);
  round.flood = phase_with(flood_p99, 1000);
  round.even = phase_with(even_p99, 800);
  return round;
}

TEST(FairnessFiguresTest, TheRatioIsThatOfTheFloodToTheEvenLoad) {
  EXPECT_DOUBLE_EQ(round_with(600, 400).p99_ratio().value(), 1.5);
}

TEST(FairnessFiguresTest, TheLoadRatioIsWhatTheEvenLoadReachedOfTheFlood) {
  EXPECT_DOUBLE_EQ(round_with(600, 400).load_ratio().value(), 0.8);
}

TEST(FairnessFiguresTest, ARoundWithARunThatFailedHasNoRatio) {
  for (const Phase phase : kPhases) {
    FairnessRound round = round_with(600, 400);
    round.of(phase).record.end = RunEnd::kTimedOut;

    EXPECT_FALSE(round.p99_ratio()) << word_for(phase);
    EXPECT_FALSE(round.load_ratio()) << word_for(phase);
  }
}

TEST(FairnessFiguresTest, WithoutRoundTripsThereIsNoRatio) {
  EXPECT_FALSE(round_with(600, 0).p99_ratio());
}

TEST(FairnessFiguresTest, TheMedianOfTheRoundsCounts) {
  const FairnessRun run{{round_with(900, 100), round_with(200, 100), round_with(100, 100)}};

  EXPECT_DOUBLE_EQ(run.p99_ratio()->median, 2);
  EXPECT_TRUE(run.exceeds(1.99));
  EXPECT_FALSE(run.exceeds(2));
}

TEST(FairnessFiguresTest, ARoundWithoutARatioDoesNotCount) {
  FairnessRun run{{round_with(400, 100), round_with(100, 100)}};
  run.rounds[1].even.record.end = RunEnd::kFailed;

  EXPECT_DOUBLE_EQ(run.p99_ratio()->median, 4);
}

TEST(FairnessFiguresTest, WithoutAnyRatioNothingIsExceeded) {
  FairnessRun run{{round_with(400, 100)}};
  run.rounds[0].flood.record.end = RunEnd::kFailed;

  EXPECT_FALSE(run.exceeds(0.01));
}

TEST(FairnessFiguresTest, WhatTheLoadLostOrARoundTripSpoiledIsNoFlawlessRun) {
  FairnessRun lost{{round_with(400, 100)}};
  lost.rounds[0].flood.load = {.sent = 10, .arrived = 9};
  FairnessRun spoiled{{round_with(400, 100)}};
  spoiled.rounds[0].idle.corrupt = 1;

  EXPECT_TRUE(FairnessRun{{round_with(400, 100)}}.flawless());
  EXPECT_FALSE(lost.flawless());
  EXPECT_FALSE(spoiled.flawless());
}

}  // namespace
}  // namespace zpost::bench
