#include "tools/bench/stall_times.h"

#include <gtest/gtest.h>

namespace zpost::bench {
namespace {

using namespace std::chrono_literals;

TEST(StallTimesTest, EveryModeGetsTimesOfThatMode) {
  for (const StallMode mode : {StallMode::kBelow, StallMode::kAway, StallMode::kBeyond}) {
    EXPECT_EQ(choose_times(mode, {}).mode(), mode) << word_for(mode);
  }
}

TEST(StallTimesTest, ALongerStopStaysInItsModeWhereItCan) {
  for (const StallMode mode : {StallMode::kBelow, StallMode::kAway, StallMode::kBeyond}) {
    const StallTimes times = choose_times(mode, {.stop = 120s});

    EXPECT_EQ(times.stop, 120s);
    EXPECT_EQ(times.mode(), mode) << word_for(mode);
  }
}

TEST(StallTimesTest, WhatIsWantedGoesBeforeTheMode) {
  const StallTimes times = choose_times(StallMode::kBeyond, {.resume = 60s});

  EXPECT_EQ(times.resume, 60s);
  EXPECT_EQ(times.mode(), StallMode::kAway);
}

TEST(StallTimesTest, TheLimitsOfAModeBelongToTheGentlerOne) {
  EXPECT_EQ((StallTimes{.stop = 2s, .silence = 2s, .resume = 3s}.mode()), StallMode::kBelow);
  EXPECT_EQ((StallTimes{.stop = 5s, .silence = 2s, .resume = 3s}.mode()), StallMode::kAway);
  EXPECT_EQ((StallTimes{.stop = 5001ms, .silence = 2s, .resume = 3s}.mode()), StallMode::kBeyond);
}

}  // namespace
}  // namespace zpost::bench
