#include "broker/net/spin_budget.h"

#include <gtest/gtest.h>

namespace zpost::net {
namespace {

constexpr std::int64_t kShort = 10'000;
constexpr std::int64_t kLong = 1'000'000;

TEST(SpinBudgetTest, NobodySpinsAtFirst) {
  EXPECT_EQ(SpinBudget(2).budget(), 0);
}

TEST(SpinBudgetTest, ShortGapsMakeSpinningWorthIt) {
  SpinBudget budget(2);
  for (int i = 0; i < 4; ++i) budget.on_gap(kShort);
  EXPECT_EQ(budget.budget(), SpinBudget::kSpin);
}

TEST(SpinBudgetTest, LongGapsEndItSoon) {
  SpinBudget budget(2);
  for (int i = 0; i < 100; ++i) budget.on_gap(kShort);
  for (int i = 0; i < 4; ++i) budget.on_gap(kLong);
  EXPECT_EQ(budget.budget(), 0);
}

TEST(SpinBudgetTest, MixedGapsKeepItOff) {
  SpinBudget budget(2);
  for (int i = 0; i < 100; ++i) {
    budget.on_gap(kShort);
    budget.on_gap(kLong);
  }
  EXPECT_EQ(budget.budget(), 0);
}

TEST(SpinBudgetTest, OneCoreNeverSpins) {
  SpinBudget budget(1);
  for (int i = 0; i < 100; ++i) budget.on_gap(kShort);
  EXPECT_EQ(budget.budget(), 0);
}

}  // namespace
}  // namespace zpost::net
