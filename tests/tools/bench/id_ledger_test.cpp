#include "tools/bench/systems/id_ledger.h"

#include <gtest/gtest.h>

namespace zpost::bench {
namespace {

class IdLedgerTest : public testing::Test {
 protected:
  IdLedgerTest() { ledger_.begin(kFirst); }

  [[nodiscard]] std::uint64_t count(Outcome outcome) const {
    return told_.outcomes[static_cast<std::size_t>(outcome)].load();
  }

  static constexpr std::uint64_t kFirst = 1'000'000'000'000'000'000;

  ToldCounts told_;
  IdLedger ledger_{told_};
};

TEST_F(IdLedgerTest, CountsOutcomesInAnyOrderOfIds) {
  ledger_.settle(kFirst + 70'000, Outcome::kLost);
  ledger_.settle(kFirst, Outcome::kDelivered);
  ledger_.settle(kFirst + 1, Outcome::kDelivered);

  EXPECT_EQ(count(Outcome::kDelivered), 2u);
  EXPECT_EQ(count(Outcome::kLost), 1u);
  EXPECT_EQ(told_.stray.load(), 0u);
}

TEST_F(IdLedgerTest, ASecondOutcomeIsStray) {
  ledger_.settle(kFirst + 5, Outcome::kDelivered);
  ledger_.settle(kFirst + 5, Outcome::kLost);

  EXPECT_EQ(count(Outcome::kDelivered), 1u);
  EXPECT_EQ(count(Outcome::kLost), 0u);
  EXPECT_EQ(told_.stray.load(), 1u);
}

TEST_F(IdLedgerTest, IdsThatWereNeverGivenAreStray) {
  ledger_.settle(kFirst - 1, Outcome::kDelivered);
  ledger_.settle(kFirst + (std::uint64_t{1} << 40), Outcome::kDelivered);

  EXPECT_EQ(count(Outcome::kDelivered), 0u);
  EXPECT_EQ(told_.stray.load(), 2u);
}

}  // namespace
}  // namespace zpost::bench
