#include <gtest/gtest.h>

#include <vector>

#include "tools/bench/stream.h"

namespace zpost::bench {
namespace {

constexpr std::size_t kPayloadBytes = 64;

TEST(PayloadSourceTest, WhatIsWrittenDoesNotWaitWhereTheStreamIsHeld) {
  StreamCounts counts;
  counts.hold_at = 32;
  PayloadSource source({.messages = 50}, 0, kPayloadBytes, counts);
  std::vector<std::byte> buffer(100 * kPayloadBytes);

  EXPECT_EQ(source.fill(buffer), 32u);

  counts.hold_at = kTotalUnknown;
  EXPECT_EQ(source.fill(buffer), 18u);
  EXPECT_EQ(source.fill(buffer), 0u);
}

TEST(PayloadSourceTest, ItEndsSoonAfterItIsEnough) {
  StreamCounts counts;
  PayloadSource source({}, 0, kPayloadBytes, counts);
  std::vector<std::byte> payload(kPayloadBytes);
  ASSERT_TRUE(source.next(payload));

  counts.enough = true;
  std::uint64_t drawn = 1;
  while (drawn < 1000 && source.next(payload)) ++drawn;

  EXPECT_LE(drawn, 17u);
  EXPECT_EQ(counts.total.load(), drawn);
}

TEST(PayloadSourceTest, WhatIsWrittenDoesNotWaitForWhatIsNotDue) {
  StreamCounts counts;
  PayloadSource source({.messages = 50, .per_second = 1e-3}, 0, kPayloadBytes, counts);
  std::vector<std::byte> buffer(100 * kPayloadBytes);

  EXPECT_EQ(source.fill(buffer), 1u);
}

TEST(PayloadSourceTest, ItDoesNotWaitForItsPaceWhenItIsEnough) {
  StreamCounts counts;
  PayloadSource source({.per_second = 1e-3}, 0, kPayloadBytes, counts);
  std::vector<std::byte> payload(kPayloadBytes);
  ASSERT_TRUE(source.next(payload));

  counts.enough = true;

  EXPECT_TRUE(source.next(payload));
  EXPECT_FALSE(source.next(payload));
  EXPECT_EQ(counts.total.load(), 2u);
}

}  // namespace
}  // namespace zpost::bench
