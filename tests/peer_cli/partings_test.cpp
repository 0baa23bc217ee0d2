#include "peer/cli/partings.h"

#include <gtest/gtest.h>

namespace zpost::cli {
namespace {

using std::chrono::milliseconds;

constexpr Partings::Time kBegin{};

peer::PresenceChange parting(const std::string& who) {
  return {.event = "left", .peer = who};
}

TEST(PartingsTest, NewsOfWhoGoesWaitsForLastWords) {
  Partings partings;
  EXPECT_FALSE(partings.next());
  partings.hold(parting("bob"), kBegin);
  EXPECT_EQ(partings.next(), kBegin + Partings::kLastWords);
  EXPECT_FALSE(partings.take_due(kBegin + Partings::kLastWords - milliseconds(1)));
  const auto due = partings.take_due(kBegin + Partings::kLastWords);
  ASSERT_TRUE(due);
  EXPECT_EQ(due->peer, "bob");
  EXPECT_EQ(due->event, "left");
  EXPECT_FALSE(partings.next());
}

TEST(PartingsTest, WhoWentFirstIsToldFirst) {
  Partings partings;
  partings.hold(parting("bob"), kBegin);
  partings.hold(parting("alice"), kBegin + milliseconds(1));
  EXPECT_EQ(partings.take_due(Partings::Time::max())->peer, "bob");
  EXPECT_EQ(partings.take_due(Partings::Time::max())->peer, "alice");
}

TEST(PartingsTest, OtherNewsOfTheSamePersonNeedsNotWait) {
  Partings partings;
  partings.hold(parting("bob"), kBegin);
  EXPECT_FALSE(partings.take("alice"));
  EXPECT_EQ(partings.take("bob")->event, "left");
  EXPECT_FALSE(partings.take("bob"));
}

}  // namespace
}  // namespace zpost::cli
