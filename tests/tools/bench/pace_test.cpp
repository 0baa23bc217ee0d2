#include "tools/bench/pace.h"

#include <gtest/gtest.h>

namespace zpost::bench {
namespace {

using namespace std::chrono_literals;

TEST(PaceTest, TheFirstIsDueAtOnce) {
  EXPECT_EQ(Pace(1).due_after(0s), 1u);
  EXPECT_EQ(Pace(1).time_of(0), 0s);
}

TEST(PaceTest, AsManyAreDueAsTheRateSays) {
  const Pace pace(250);

  EXPECT_EQ(pace.due_after(3999us), 1u);
  EXPECT_EQ(pace.due_after(4ms), 2u);
  EXPECT_EQ(pace.due_after(10s), 2501u);
}

TEST(PaceTest, EachIsDueAtItsTime) {
  for (const double per_second : {0.3, 7.0, 333.0, 1e6}) {
    const Pace pace(per_second);
    for (const std::uint64_t sequence : {1u, 2u, 1000u, 123'457u}) {
      EXPECT_GE(pace.due_after(pace.time_of(sequence) + 1us), sequence + 1) << per_second;
    }
  }
}

TEST(PaceTest, NothingIsDueBeforeTheFirst) {
  EXPECT_EQ(Pace(1000).due_after(-1s), 0u);
}

}  // namespace
}  // namespace zpost::bench
