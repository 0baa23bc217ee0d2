#include "tools/bench/aim.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "tools/bench/work_item.h"

namespace zpost::bench {
namespace {

TEST(AimTest, ARateMustReachItsAim) {
  const auto aim = aim_of("64B-1p", "zpost-spans", "nats");

  ASSERT_TRUE(aim);
  EXPECT_TRUE(aim->met_by(5));
  EXPECT_FALSE(aim->met_by(4.99));
}

TEST(AimTest, ARoundTripMustStayBelowItsAim) {
  const auto aim = aim_of("rtt-64B", "zpost-singles", "nats");

  ASSERT_TRUE(aim);
  EXPECT_TRUE(aim->met_by(0.7));
  EXPECT_FALSE(aim->met_by(0.71));
}

TEST(AimTest, OthersThanZpostHaveNone) {
  EXPECT_FALSE(aim_of("64B-1p", "nats", "nats"));
  EXPECT_FALSE(aim_of("64B-1p", "zpost-simple", "nats"));
}

TEST(AimTest, RatiosToAnotherThanNatsHaveNone) {
  EXPECT_FALSE(aim_of("64B-1p", "zpost-spans", "redis"));
}

TEST(AimTest, EveryWorkOfTheTablesHasOne) {
  for (const std::string& work : default_work()) {
    EXPECT_TRUE(aim_of(work, "zpost-singles", "nats") || aim_of(work, "zpost-spans", "nats"))
        << work;
  }
}

TEST(WorkTableTest, TheDefaultWorksOfATableStandTogether) {
  const auto works = default_work();
  const auto is_topics = [](const std::string& name) {
    return table_of(parse_work_item(name).value()) == Table::kTopics;
  };

  EXPECT_EQ(std::ranges::count_if(works, is_topics), 4);
  EXPECT_TRUE(std::ranges::is_partitioned(works, std::not_fn(is_topics)));
}

}  // namespace
}  // namespace zpost::bench
