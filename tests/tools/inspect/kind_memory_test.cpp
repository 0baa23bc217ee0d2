#include "tools/inspect/kind_memory.h"

#include <gtest/gtest.h>

#include "zpost/protocol/kinds.h"

namespace zpost::inspect {
namespace {

constexpr auto kSend = static_cast<std::uint8_t>(Kind::kSend);
constexpr auto kRequest = static_cast<std::uint8_t>(Kind::kRequest);

class KindMemoryTest : public testing::Test {
 protected:
  void receive(std::uint8_t kind, std::uint64_t first, std::uint64_t last) {
    TailLine line{.event = TapEvent::kReceived,
                  .from = "alice",
                  .to = "bob",
                  .kind_number = kind,
                  .first_id = first,
                  .last_id = last};
    EXPECT_TRUE(memory_.learn_or_tell(line));
  }

  /// The kind that a delivery gets; 0: unknown.
  std::uint8_t deliver(std::uint64_t first, std::uint64_t last, std::string from = "alice") {
    TailLine line{.event = TapEvent::kDelivered,
                  .from = std::move(from),
                  .to = "bob",
                  .first_id = first,
                  .last_id = last};
    const bool known = memory_.learn_or_tell(line);
    EXPECT_EQ(known, line.kind_number != 0);
    return line.kind_number;
  }

  KindMemory memory_;
};

TEST_F(KindMemoryTest, ADeliveryGetsTheKindOfWhatWasReceived) {
  receive(kSend, 1, 10);
  receive(kRequest, 11, 11);
  EXPECT_EQ(deliver(1, 4), kSend);
  EXPECT_EQ(deliver(5, 10), kSend);
  EXPECT_EQ(deliver(11, 11), kRequest);
}

TEST_F(KindMemoryTest, WhatWasNotSeenIsNotGuessed) {
  receive(kRequest, 5, 5);
  receive(kRequest, 9, 9);
  EXPECT_EQ(deliver(4, 4), 0);
  EXPECT_EQ(deliver(7, 7), 0);
  EXPECT_EQ(deliver(9, 9), kRequest);
  EXPECT_EQ(deliver(10, 10), 0);
  EXPECT_EQ(deliver(9, 9, "carol"), 0);
}

TEST_F(KindMemoryTest, NeverDeliveredRunsAreForgottenInTheEnd) {
  for (std::uint64_t id = 0; id < 4 * KindMemory::kMaxRuns; id += 2) receive(kSend, id, id);
  EXPECT_EQ(deliver(0, 0), 0);
  EXPECT_EQ(deliver(4 * KindMemory::kMaxRuns - 2, 4 * KindMemory::kMaxRuns - 2), kSend);
}

}  // namespace
}  // namespace zpost::inspect
