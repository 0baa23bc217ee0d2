#include "tools/bench/machine_limits.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace zpost::bench {
namespace {

std::vector<MachineLimit> some_limits() {
  return {{"pids", &Needs::threads, 1000, 200}, {"files", &Needs::files, 500}};
}

TEST(MachineLimitsTest, WhatIsNotInUseMayBeUsedUp) {
  EXPECT_FALSE(find_shortage({.threads = 800, .files = 500}, some_limits()));
}

TEST(MachineLimitsTest, AShortageNamesTheLimitAndItsValue) {
  EXPECT_EQ(find_shortage({.files = 501}, some_limits()),
            "this takes 501 open files in one process, and files is 500");
}

TEST(MachineLimitsTest, AShortageTellsWhatIsInUse) {
  EXPECT_EQ(find_shortage({.threads = 801}, some_limits()),
            "this takes 801 threads, and pids is 1000, of which 200 are in use");
}

TEST(MachineLimitsTest, MoreInUseThanAllowedLeavesNothing) {
  EXPECT_TRUE(find_shortage({.threads = 1}, {{"pids", &Needs::threads, 10, 20}}));
}

TEST(MachineLimitsTest, WhatIsNotNeededMayBeShort) {
  EXPECT_FALSE(find_shortage({}, {{"pids", &Needs::threads, 0}}));
}

TEST(MachineLimitsTest, TheMachineLimitsThreadsAndHasSomeInUse) {
  const auto limits = machine_limits();
  const auto pid_max = std::ranges::find(limits, "kernel.pid_max", &MachineLimit::name);

  ASSERT_NE(pid_max, limits.end());
  EXPECT_GT(pid_max->in_use, 0u);
  EXPECT_LT(pid_max->in_use, pid_max->most);
}

}  // namespace
}  // namespace zpost::bench
