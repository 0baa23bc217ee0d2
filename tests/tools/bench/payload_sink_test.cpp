#include <gtest/gtest.h>

#include <array>
#include <initializer_list>

#include "tools/bench/payload.h"
#include "tools/bench/stream.h"

namespace zpost::bench {
namespace {

using Payload = std::array<std::byte, 64>;

Payload payload(std::uint64_t sequence) {
  Payload made = {};
  write_payload({.sequence = sequence, .pair = 0}, made);
  return made;
}

class PayloadSinkTest : public testing::Test {
 protected:
  void arrive(Order order, std::initializer_list<std::uint64_t> sequences) {
    PayloadSink sink(0, sizeof(Payload), counts_, order);
    for (const std::uint64_t sequence : sequences) sink.accept(payload(sequence));
  }

  StreamCounts counts_;
};

TEST_F(PayloadSinkTest, WhatArrivesBehindALaterOneIsReordered) {
  arrive(Order::kKept, {0, 2, 1, 3});

  EXPECT_EQ(counts_.intact.load(), 4u);
  EXPECT_EQ(counts_.reordered.load(), 1u);
}

TEST_F(PayloadSinkTest, WhereNoOrderIsPromisedNothingIsReordered) {
  arrive(Order::kFree, {3, 0, 2, 1});

  EXPECT_EQ(counts_.intact.load(), 4u);
  EXPECT_EQ(counts_.reordered.load(), 0u);
}

TEST_F(PayloadSinkTest, WhereNoOrderIsPromisedASecondArrivalIsStillADuplicate) {
  arrive(Order::kFree, {1, 0, 1});

  EXPECT_EQ(counts_.intact.load(), 2u);
  EXPECT_EQ(counts_.duplicated.load(), 1u);
}

TEST_F(PayloadSinkTest, WhereNoOrderIsPromisedAChangedByteIsStillCorrupt) {
  PayloadSink sink(0, sizeof(Payload), counts_, Order::kFree);
  Payload changed = payload(0);
  changed.back() ^= std::byte{1};

  sink.accept(changed);

  EXPECT_EQ(counts_.corrupt.load(), 1u);
  EXPECT_EQ(counts_.intact.load(), 0u);
}

}  // namespace
}  // namespace zpost::bench
