#include "broker/core/ring.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <deque>
#include <vector>

namespace zpost::core {
namespace {

TEST(RingTest, AnEmptyRingHasNothing) {
  const Ring<int> ring;
  EXPECT_TRUE(ring.empty());
  EXPECT_EQ(ring.size(), 0u);
}

TEST(RingTest, KeepsItsOrderAcrossGrowthAndTheEndOfItsBlock) {
  Ring<int> ring;
  for (int i = 0; i < 6; ++i) ring.push_back(i);
  for (int i = 0; i < 5; ++i) ring.pop_front();
  for (int i = 6; i < 30; ++i) ring.push_back(i);
  for (int i = 5; i < 30; ++i) {
    EXPECT_EQ(ring.front(), i);
    ring.pop_front();
  }
  EXPECT_TRUE(ring.empty());
}

TEST(RingTest, WorksOnAfterItGaveItsMemoryBack) {
  Ring<int> ring;
  for (int i = 0; i < 1000; ++i) ring.push_back(i);
  while (!ring.empty()) ring.pop_front();
  ring.push_back(7);
  EXPECT_EQ(ring.back(), 7);
  ring.clear();
  ring.push_back(8);
  EXPECT_EQ(ring.front(), 8);
}

/// True pushes, false pops.
RC_GTEST_PROP(RingTest, IsADequeForAnyHistory, (const std::vector<bool>& history)) {
  Ring<std::size_t> ring;
  std::deque<std::size_t> model;
  std::size_t next = 0;
  for (const bool push : history) {
    if (push) {
      ring.push_back(next);
      model.push_back(next++);
    } else if (!model.empty()) {
      ring.pop_front();
      model.pop_front();
    }
    RC_ASSERT(ring.size() == model.size());
    for (std::size_t i = 0; i < model.size(); ++i) RC_ASSERT(ring[i] == model[i]);
  }
}

}  // namespace
}  // namespace zpost::core
