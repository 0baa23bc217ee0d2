// When recorded envelopes are sent again.
#include "tools/inspect/replay_schedule.h"

#include <gtest/gtest.h>

#include "tests/tools/inspect/times.h"

namespace zpost::inspect {
namespace {

using std::chrono::milliseconds;

constexpr ReplayTime kPlayStart{milliseconds(5000)};

ReplayTime at(int ms) {
  return kPlayStart + milliseconds(ms);
}

ReplaySchedule schedule(double speed) {
  ReplaySchedule made({100 * kMs, 200 * kMs, 300 * kMs}, speed);
  made.begin(kPlayStart);
  return made;
}

TEST(ReplayScheduleTest, TheFirstIsDueAtOnceAndTheOthersAsTheyWere) {
  ReplaySchedule made = schedule(1);
  EXPECT_EQ(made.take(at(0)), 0U);
  EXPECT_EQ(made.take(at(99)), std::nullopt);
  EXPECT_EQ(made.due(), at(100));
  EXPECT_EQ(made.take(at(100)), 1U);
  EXPECT_EQ(made.take(at(500)), 2U);
  EXPECT_TRUE(made.is_over());
  EXPECT_EQ(made.take(at(600)), std::nullopt);
}

TEST(ReplayScheduleTest, TwiceTheSpeedIsHalfTheTime) {
  ReplaySchedule made = schedule(2);
  EXPECT_EQ(made.take(at(0)), 0U);
  EXPECT_EQ(made.take(at(49)), std::nullopt);
  EXPECT_EQ(made.take(at(50)), 1U);
}

TEST(ReplayScheduleTest, WithoutASpeedAllAreDueAtOnce) {
  ReplaySchedule made = schedule(0);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(made.take(at(0)), i);
}

TEST(ReplayScheduleTest, BetweenTwoEnvelopesTheRecordingHasATime) {
  ReplaySchedule made = schedule(2);
  EXPECT_EQ(made.take(at(0)), 0U);
  EXPECT_FALSE(made.has_reached(1, 150 * kMs, at(24)));
  EXPECT_EQ(made.when_at(150 * kMs), at(25));
  EXPECT_TRUE(made.has_reached(1, 150 * kMs, at(25)));
  EXPECT_FALSE(made.has_reached(2, 150 * kMs, at(25))) << "the one before is not due";
  ReplaySchedule fast = schedule(0);
  EXPECT_FALSE(fast.has_reached(1, 150 * kMs, at(0)));
  EXPECT_EQ(fast.take(at(0)), 0U);
  EXPECT_TRUE(fast.has_reached(1, 150 * kMs, at(0)));
}

TEST(ReplayScheduleTest, WhileItStandsStillTheTimeIsThatOfTheLatest) {
  ReplaySchedule made = schedule(1);
  made.pause(at(0));
  made.step(1);
  EXPECT_EQ(made.take(at(0)), 0U);
  EXPECT_FALSE(made.has_reached(1, 150 * kMs, at(900)));
  EXPECT_EQ(made.when_at(150 * kMs), std::nullopt);
  made.step(2);
  EXPECT_EQ(made.take(at(900)), 1U);
  EXPECT_TRUE(made.has_reached(1, 150 * kMs, at(900)));
  EXPECT_EQ(made.take(at(900)), 2U);
  EXPECT_TRUE(made.has_reached(3, 999 * kMs, at(900))) << "nothing moves it on any more";
}

TEST(ReplayScheduleTest, APauseShiftsTheRest) {
  ReplaySchedule made = schedule(1);
  EXPECT_EQ(made.take(at(0)), 0U);
  made.pause(at(40));
  EXPECT_EQ(made.take(at(1000)), std::nullopt);
  EXPECT_EQ(made.due(), std::nullopt);
  made.go_on(at(1000));
  EXPECT_EQ(made.take(at(1059)), std::nullopt);
  EXPECT_EQ(made.take(at(1060)), 1U);
}

TEST(ReplayScheduleTest, StepsGoWhateverTheTimeAndTheRestFollowsThem) {
  ReplaySchedule made = schedule(1);
  made.pause(at(0));
  EXPECT_EQ(made.take(at(0)), std::nullopt);
  made.step(2);
  EXPECT_EQ(made.take(at(10)), 0U);
  EXPECT_EQ(made.take(at(10)), 1U);
  EXPECT_EQ(made.take(at(900)), std::nullopt);
  made.go_on(at(1000));
  EXPECT_EQ(made.take(at(1099)), std::nullopt) << "a tenth of a second lay between them";
  EXPECT_EQ(made.take(at(1100)), 2U);
}

TEST(ReplayScheduleTest, WhatIsSkippedIsNotSent) {
  ReplaySchedule made = schedule(1);
  made.pause(at(0));
  EXPECT_EQ(made.skip(2, at(0)), 2U);
  made.step(1);
  EXPECT_EQ(made.take(at(0)), 2U);
  EXPECT_EQ(made.skip(5, at(0)), 0U);
}

TEST(ReplayScheduleTest, ItCanBeginAgain) {
  ReplaySchedule made = schedule(0);
  while (made.take(at(0))) {
  }
  made.begin(at(50));
  EXPECT_EQ(made.take(at(50)), 0U);
}

}  // namespace
}  // namespace zpost::inspect
