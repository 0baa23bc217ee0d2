#include <gtest/gtest.h>

#include "tools/bench/stall.h"

namespace zpost::bench {
namespace {

StallRun told_run() {
  StallRun run;
  run.tells_outcomes = true;
  run.stalled = {.sent = 100, .arrived = 60};
  run.told.delivered = 60;
  run.told.lost = 30;
  run.told.other = 10;
  return run;
}

TEST(StallLedgerTest, WhatArrivedAndWhatFailedIsWhatWasSent) {
  EXPECT_TRUE(told_run().balances());
  EXPECT_TRUE(told_run().flawless());
  EXPECT_EQ(told_run().vanished(), 0u);
}

TEST(StallLedgerTest, WhatWasTakenInVainIsLostForTheSender) {
  StallRun run = told_run();
  run.told.delivered = 55;
  run.told.lost = 35;
  EXPECT_FALSE(run.balances());

  run.told.taken_in_vain = 5;
  EXPECT_TRUE(run.balances());
  EXPECT_EQ(run.vanished(), 0u);
}

TEST(StallLedgerTest, WhatNobodyTellsOfHasVanished) {
  StallRun run = told_run();
  run.told.lost = 29;

  EXPECT_FALSE(run.balances());
  EXPECT_EQ(run.vanished(), 1u);
}

TEST(StallLedgerTest, DeliveredMeansArrived) {
  StallRun run = told_run();
  run.told.delivered = 61;
  run.told.lost = 29;

  EXPECT_FALSE(run.balances());
}

TEST(StallLedgerTest, OutcomesThatComeTwiceAndArrivalsOutOfOrderAreNoFlawlessRun) {
  StallRun stray = told_run();
  stray.told.stray = 1;
  StallRun twice = told_run();
  twice.stalled.duplicated = 1;
  StallRun reordered = told_run();
  reordered.stalled.reordered = 1;
  StallRun other = told_run();
  other.other.sent = 1;

  for (const StallRun& run : {stray, twice, reordered, other}) EXPECT_FALSE(run.flawless());
}

TEST(StallLedgerTest, WithoutOutcomesWhatDoesNotArriveHasVanished) {
  StallRun run;
  run.stalled = {.sent = 100, .arrived = 100};
  EXPECT_TRUE(run.balances());

  run.stalled.arrived = 99;
  EXPECT_FALSE(run.balances());
  EXPECT_EQ(run.vanished(), 1u);
}

}  // namespace
}  // namespace zpost::bench
