#include "broker/net/wire_count.h"

#include <gtest/gtest.h>

namespace zpost::net {
namespace {

class WireCountTest : public testing::Test {
 protected:
  void come_in(std::uint64_t bytes) { received_ += bytes; }

  void look() { wire_.look(received_, dries_); }

  void run_dry() { ++dries_; }

  /// A message of one part is read, of which some bytes came in before.
  void message(std::size_t size, std::uint64_t came_in_before = 0) {
    come_in(WireCount::of_part(size) - came_in_before);
    wire_.read_message(size, dries_);
  }

  WireCount wire_;
  std::uint64_t received_ = 0;
  std::uint64_t dries_ = 0;
};

TEST_F(WireCountTest, WhatWasReadIsNotUnread) {
  message(100);
  message(300);
  EXPECT_EQ(received_, 102u + 309u);
  EXPECT_EQ(wire_.unread(received_), 0u);
  come_in(50);
  EXPECT_EQ(wire_.unread(received_), 50u);
}

TEST_F(WireCountTest, HeartbeatsOfYearsAreNoHoard) {
  for (int i = 0; i < 10'000; ++i) {
    come_in(5'000);
    look();
    run_dry();
    message(40);
  }
  EXPECT_LE(wire_.unread(received_), 5'000u + 42u);
}

TEST_F(WireCountTest, AnUnfinishedMessageIsNeverTakenForHeartbeats) {
  come_in(100);
  for (int i = 0; i < 100; ++i) {
    come_in(1'000);
    look();
    run_dry();
    EXPECT_EQ(wire_.stuck(dries_), received_);
  }
  message(100'000, 100'000);
  EXPECT_GE(wire_.unread(received_ + 100'000), 100'000u) << "never too much is learnt";
}

TEST_F(WireCountTest, WithoutALookAndADryMomentAfterItNothingIsLearnt) {
  come_in(5'000);
  run_dry();
  message(40);
  EXPECT_EQ(wire_.unread(received_), 5'000u);
  look();
  message(40);  // It may be the second of many that came in before.
  EXPECT_EQ(wire_.unread(received_), 5'000u);
}

TEST_F(WireCountTest, NothingIsLearntFromAMessageOfManyParts) {
  come_in(5'000);
  look();
  run_dry();
  wire_.read_part(0);
  come_in(2);
  message(40);
  EXPECT_EQ(wire_.unread(received_), 5'000u);
}

TEST_F(WireCountTest, StuckIsWhatADryMomentLeft) {
  come_in(5'000);
  look();
  EXPECT_EQ(wire_.stuck(dries_), 0u) << "it may be whole messages";
  run_dry();
  come_in(700);
  EXPECT_EQ(wire_.stuck(dries_), 5'000u);
}

}  // namespace
}  // namespace zpost::net
