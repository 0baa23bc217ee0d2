// What was sent and what became of it.
#include "peer/src/ledger.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "peer/src/open_frame.h"

namespace zpost::peer {
namespace {

Welcome welcome_with(std::uint64_t credit, std::uint64_t pair) {
  Welcome welcome;
  welcome.first_id = 100;
  welcome.credit = credit;
  welcome.pair = pair;
  welcome.max_envelope_bytes = welcome.max_frame_bytes = 1 << 20;
  return welcome;
}

class LedgerTest : public testing::Test {
 protected:
  LedgerTest() { start(1'000'000, 500'000); }

  void start(std::uint64_t credit, std::uint64_t pair) {
    ledger_.welcomed(welcome_with(credit, pair), Continuation::kFirst, told_);
  }

  /// Puts `body` into the open frame, whether or not credit admits it.
  std::uint64_t write(const std::string& to, const std::string& body = "x", bool request = false) {
    Ledger::Recipient& account = ledger_.recipient(to);
    const std::uint64_t id = ledger_.take_id();
    const auto bytes = static_cast<std::uint32_t>(account.prefix.encoded_size(id, body.size()));
    account.prefix.write(open_.reserve(bytes, 65'536), id, as_bytes(body));
    open_.commit(account, {id, 1, bytes, bytes, request});
    ledger_.charge(account, cost_of(bytes));
    if (!request) ledger_.count_new(1);
    return id;
  }

  void close_frame() { (void)open_.seal(ledger_); }

  std::uint64_t cost(const std::string& to, const std::string& body) {
    return cost_of(ledger_.recipient(to).prefix.encoded_size(ledger_.next_id(), body.size()));
  }

  void receipt(const std::string& to, std::uint64_t id, bool unconfirmed = false) {
    ledger_.settle({to, id, unconfirmed}, told_);
  }

  /// What settle() and welcomed() said, as "outcome to first+count".
  std::vector<std::string> told() {
    std::vector<std::string> words;
    for (const Settlement& each : told_) {
      words.push_back(std::string(outcome_name(each.outcome)) + " " + std::string(each.to) + " " +
                      std::to_string(each.first_id) + "+" + std::to_string(each.count) +
                      (each.request ? " request" : ""));
    }
    told_.clear();
    return words;
  }

  /// The ids of all copies that can be sent again now, with their recipients.
  std::vector<std::string> resend() {
    std::vector<std::string> sent;
    for (;;) {
      const Ledger::Queued copy = ledger_.next_copy(65'536);
      if (copy.run.count == 0) break;
      FrameReader reader(copy.run.view());
      EnvelopeView view;
      while (reader.next(view)) sent.push_back(std::string(view.to) + std::to_string(view.id));
      EXPECT_FALSE(reader.failed());
      std::memcpy(open_.reserve(copy.run.bytes, 65'536), copy.run.view().data(), copy.run.bytes);
      open_.commit(*copy.to, copy.run);
    }
    if (!open_.empty()) close_frame();
    return sent;
  }

  using Words = std::vector<std::string>;

  FramePool pool_;
  Ledger ledger_{"alice"};
  OpenFrame open_{pool_};
  std::vector<Settlement> told_;
};

TEST_F(LedgerTest, IdsStartAtTheWelcomesFirstIdAndAreConsecutive) {
  EXPECT_EQ(write("bob"), 100u);
  EXPECT_EQ(write("carol"), 101u);
}

TEST_F(LedgerTest, AReceiptSettlesWholeFramesAndPartsOfThem) {
  for (int i = 0; i < 3; ++i) write("bob");
  close_frame();
  for (int i = 0; i < 3; ++i) write("bob");
  close_frame();

  receipt("bob", 104);
  EXPECT_EQ(told(), (Words{"delivered bob 100+3", "delivered bob 103+2"}));
  EXPECT_EQ(ledger_.unsettled(), 1u);

  receipt("bob", 105);
  EXPECT_EQ(told(), Words{"delivered bob 105+1"});
  EXPECT_EQ(ledger_.unsettled(), 0u);
}

TEST_F(LedgerTest, PartsOfAFrameWithDifferentSizesAreSettledExactly) {
  write("bob", "a");
  write("bob", std::string(300, 'b'));
  write("bob", "");
  close_frame();
  const std::uint64_t all = ledger_.recipient("bob").outstanding;

  receipt("bob", 101);
  EXPECT_EQ(told(), Words{"delivered bob 100+2"});
  EXPECT_EQ(ledger_.recipient("bob").outstanding, cost("bob", ""));
  EXPECT_LT(ledger_.recipient("bob").outstanding, all);
}

TEST_F(LedgerTest, AReceiptCoversOnlyItsRecipient) {
  write("bob");
  write("carol");
  write("bob");
  close_frame();

  receipt("bob", 102);
  EXPECT_EQ(told(), (Words{"delivered bob 100+1", "delivered bob 102+1"}));
  EXPECT_EQ(ledger_.unsettled(), 1u);
}

TEST_F(LedgerTest, AnOldReceiptSaysNothing) {
  write("bob");
  close_frame();
  receipt("bob", 100);
  told();

  receipt("bob", 100);
  receipt("nobody", 100);
  EXPECT_EQ(told(), Words{});
}

TEST_F(LedgerTest, AFlaggedReceiptMeansUnconfirmed) {
  write("bob");
  close_frame();
  receipt("bob", 100, true);
  EXPECT_EQ(told(), Words{"unconfirmed bob 100+1"});
}

TEST_F(LedgerTest, AToldFailureIsNotDelivered) {
  for (int i = 0; i < 5; ++i) write("bob");
  close_frame();

  EXPECT_TRUE(ledger_.tell_one("bob", 101, Outcome::kFull));
  EXPECT_TRUE(ledger_.tell_one("bob", 104, Outcome::kFull));
  EXPECT_EQ(ledger_.unsettled(), 3u);
  EXPECT_FALSE(ledger_.tell_one("bob", 104, Outcome::kFull)) << "told twice";
  EXPECT_FALSE(ledger_.tell_one("bob", 99, Outcome::kFull)) << "never sent";

  receipt("bob", 104);
  EXPECT_EQ(told(), (Words{"delivered bob 100+1", "delivered bob 102+2"}));
  EXPECT_EQ(ledger_.unsettled(), 0u);
}

TEST_F(LedgerTest, AFailureThatConcernsNoRecipientNeedsNoReceipt) {
  for (int i = 0; i < 3; ++i) write("bob");
  close_frame();

  const auto told_one = ledger_.tell_one("", 101, Outcome::kFull);
  ASSERT_TRUE(told_one);
  EXPECT_EQ(told_one->to, "bob");
  EXPECT_EQ(ledger_.recipient("bob").outstanding, 2 * cost("bob", "x"));

  receipt("bob", 102);
  EXPECT_EQ(told(), (Words{"delivered bob 100+1", "delivered bob 102+1"}));
  EXPECT_EQ(ledger_.recipient("bob").outstanding, 0u);
}

TEST_F(LedgerTest, RequestsAreNotCountedAsUnsettledButMarked) {
  write("bob");
  write("bob", "question", true);
  close_frame();
  EXPECT_EQ(ledger_.unsettled(), 1u);

  receipt("bob", 101);
  EXPECT_EQ(told(), (Words{"delivered bob 100+1", "delivered bob 101+1 request"}));
}

// --- Credit --------------------------------------------------------------------------------------

TEST_F(LedgerTest, ThePairLimitStopsOneRecipientOnly) {
  start(1'000'000, 200);
  Ledger::Recipient& bob = ledger_.recipient("bob");
  const std::uint64_t each = cost("bob", "x");
  write("bob");
  EXPECT_TRUE(ledger_.admits(bob, 200 - each));
  EXPECT_FALSE(ledger_.admits(bob, 200 - each + 1));
  EXPECT_TRUE(ledger_.admits(ledger_.recipient("carol"), 200));
}

TEST_F(LedgerTest, TheTotalStopsAllRecipients) {
  start(200, 1'000);
  write("bob");
  EXPECT_FALSE(ledger_.admits(ledger_.recipient("carol"), 200));
}

TEST_F(LedgerTest, OneEnvelopeOfAnySizeIsAdmittedWhenNothingIsOutstanding) {
  start(10, 10);
  EXPECT_TRUE(ledger_.admits(ledger_.recipient("bob"), 1'000'000));
  write("bob");
  EXPECT_FALSE(ledger_.admits(ledger_.recipient("bob"), 1));
  EXPECT_FALSE(ledger_.admits(ledger_.recipient("carol"), 1));
  close_frame();
  receipt("bob", 100);
  EXPECT_TRUE(ledger_.admits(ledger_.recipient("bob"), 1'000'000));
}

TEST_F(LedgerTest, CreditIsATotalOfTheEpoch) {
  const std::uint64_t each = cost("bob", "x");
  start(2 * each, 1'000);
  write("bob");
  write("bob");
  close_frame();
  receipt("bob", 100);
  EXPECT_FALSE(ledger_.admits(ledger_.recipient("bob"), each)) << "a receipt alone gives no credit";
  ledger_.set_limits(3 * each, 1'000);
  EXPECT_TRUE(ledger_.admits(ledger_.recipient("bob"), each));
}

TEST_F(LedgerTest, ALowerTotalIsAdoptedDownToWhatWasSent) {
  const std::uint64_t each = cost("bob", "x");
  write("bob");
  write("bob");
  ledger_.set_limits(each, 1'000);
  EXPECT_EQ(ledger_.credit(), 2 * each);
  ledger_.set_limits(5 * each, 1'000);
  ledger_.set_limits(3 * each, 1'000);
  EXPECT_EQ(ledger_.credit(), 3 * each);
}

TEST_F(LedgerTest, AdmittedCountsHowManyEqualEnvelopesMayGo) {
  start(1'000, 500);
  Ledger::Recipient& bob = ledger_.recipient("bob");
  EXPECT_EQ(ledger_.admitted(bob, 100, 3), 3u);
  EXPECT_EQ(ledger_.admitted(bob, 100, 30), 5u);
  EXPECT_EQ(ledger_.admitted(bob, 5'000, 30), 1u);
  ledger_.charge(bob, 450);
  EXPECT_EQ(ledger_.admitted(bob, 100, 30), 0u);
}

// --- Going on after a welcome --------------------------------------------------------------------

TEST_F(LedgerTest, AResumedSessionResendsOnlyWhatTheBrokerHasNot) {
  for (int i = 0; i < 4; ++i) write("bob");
  close_frame();
  Welcome welcome = welcome_with(1'000'000, 500'000);
  welcome.resumed = true;
  welcome.highest_id = 101;
  welcome.received = 2 * cost("bob", "x");
  ledger_.welcomed(welcome, Continuation::kResumed, told_);

  EXPECT_EQ(told(), Words{});
  EXPECT_EQ(resend(), (Words{"bob102", "bob103"}));
  EXPECT_FALSE(ledger_.resending());
  receipt("bob", 103);
  EXPECT_EQ(told(), (Words{"delivered bob 100+2", "delivered bob 102+2"}));
  EXPECT_EQ(ledger_.recipient("bob").outstanding, 0u);
}

TEST_F(LedgerTest, ANewSessionOfTheSameRunLosesWhatTheBrokerHadAndResendsTheRest) {
  write("bob");
  write("carol");
  write("bob", "question", true);
  write("bob");
  close_frame();
  Welcome welcome = welcome_with(1'000'000, 500'000);
  welcome.highest_id = 102;
  ledger_.welcomed(welcome, Continuation::kSameRun, told_);

  auto lost = told();
  std::ranges::sort(lost);
  EXPECT_EQ(lost, (Words{"lost bob 100+1", "lost bob 102+1 request", "lost carol 101+1"}));
  EXPECT_EQ(resend(), Words{"bob103"});
  EXPECT_EQ(ledger_.unsettled(), 1u);
}

TEST_F(LedgerTest, AnotherRunGetsEverythingAgainInIdOrder) {
  write("bob");
  write("carol");
  write("bob");
  close_frame();
  write("carol");
  close_frame();
  ledger_.welcomed(welcome_with(1'000'000, 500'000), Continuation::kNewRun, told_);

  EXPECT_EQ(resend(), (Words{"bob100", "carol101", "bob102", "carol103"}));
  EXPECT_EQ(ledger_.unsettled(), 4u);
}

TEST_F(LedgerTest, CopiesThatWaitForTheirTurnAreLostAsTheOthersAre) {
  for (int i = 0; i < 3; ++i) write("bob");
  close_frame();
  ledger_.welcomed(welcome_with(1'000'000, 500'000), Continuation::kNewRun, told_);
  ASSERT_TRUE(ledger_.resending());
  Welcome welcome = welcome_with(1'000'000, 500'000);
  welcome.highest_id = 101;  // Or above all, if another instance had the name since.
  ledger_.welcomed(welcome, Continuation::kSameRun, told_);

  EXPECT_EQ(told(), Words{"lost bob 100+2"});
  EXPECT_EQ(resend(), Words{"bob102"});
  EXPECT_EQ(ledger_.unsettled(), 1u);
}

TEST_F(LedgerTest, AnAnsweredRequestIsNotSentAgain) {
  for (int i = 0; i < 3; ++i) write("bob", "x", true);
  close_frame();
  ledger_.note_answered("bob", 101);
  ledger_.welcomed(welcome_with(1'000'000, 500'000), Continuation::kNewRun, told_);
  ledger_.note_answered("bob", 102);  // While it waits for its turn.
  EXPECT_EQ(resend(), Words{"bob100"});
  EXPECT_EQ(ledger_.cost_kept(), cost("bob", "x"));
}

TEST_F(LedgerTest, WhatAnotherRunWantsNothingOfIsLost) {
  write("bob");
  write("carol");
  close_frame();
  Welcome welcome = welcome_with(1'000'000, 500'000);
  welcome.highest_id = welcome.first_id = 10'000;  // Another instance had the name.
  ledger_.welcomed(welcome, Continuation::kNewRun, told_);

  EXPECT_TRUE(resend().empty());
  EXPECT_EQ(told().size(), 2u);
  EXPECT_EQ(ledger_.unsettled(), 0u);
}

TEST_F(LedgerTest, WhatFailedIsNotSentAgain) {
  for (int i = 0; i < 4; ++i) write("bob");
  close_frame();
  EXPECT_TRUE(ledger_.tell_one("bob", 100, Outcome::kFull));
  EXPECT_TRUE(ledger_.tell_one("bob", 102, Outcome::kFull));
  ledger_.welcomed(welcome_with(1'000'000, 500'000), Continuation::kNewRun, told_);

  EXPECT_EQ(resend(), (Words{"bob101", "bob103"}));
  receipt("bob", 103);
  EXPECT_EQ(told(), (Words{"delivered bob 101+1", "delivered bob 103+1"}));
}

TEST_F(LedgerTest, ResendingKeepsWithinTheNewCredit) {
  const std::uint64_t each = cost("bob", "x");
  for (int i = 0; i < 5; ++i) write("bob");
  close_frame();
  ledger_.welcomed(welcome_with(2 * each, 10 * each), Continuation::kNewRun, told_);
  EXPECT_EQ(resend(), (Words{"bob100", "bob101"}));
  EXPECT_TRUE(ledger_.resending());

  receipt("bob", 101);
  ledger_.set_limits(10 * each, 2 * each);
  EXPECT_EQ(resend(), (Words{"bob102", "bob103"})) << "the pair limit holds as well";
  receipt("bob", 103);
  EXPECT_EQ(resend(), Words{"bob104"});
  EXPECT_FALSE(ledger_.resending());
}

TEST_F(LedgerTest, ALossInTheMiddleOfResendingLosesNothing) {
  const std::uint64_t each = cost("bob", "x");
  for (int i = 0; i < 4; ++i) write("bob");
  close_frame();
  ledger_.welcomed(welcome_with(2 * each, 10 * each), Continuation::kNewRun, told_);
  EXPECT_EQ(resend(), (Words{"bob100", "bob101"}));

  Welcome again = welcome_with(10 * each, 10 * each);
  again.resumed = true;
  again.highest_id = 100;
  again.received = each;
  ledger_.welcomed(again, Continuation::kResumed, told_);
  EXPECT_EQ(resend(), (Words{"bob101", "bob102", "bob103"}));
  receipt("bob", 103);
  EXPECT_EQ(ledger_.unsettled(), 0u);
  EXPECT_EQ(ledger_.recipient("bob").outstanding, 0u);
}

TEST_F(LedgerTest, CopiesThatANewRunDoesNotTakeFailAndTheRestGoes) {
  const std::string large(5'000, 'L');
  write("bob", large);
  write("bob", large);  // Of the same size: one extent.
  close_frame();
  write("carol", "small");
  write("carol", large);
  write("carol", "smaller");  // Of different sizes.
  write("bob", large, true);
  close_frame();
  Welcome welcome = welcome_with(1'000'000, 500'000);
  welcome.max_envelope_bytes = 1'000;
  ledger_.welcomed(welcome, Continuation::kNewRun, told_);

  EXPECT_EQ(told(),
            (Words{"too-large bob 100+2", "too-large carol 103+1", "too-large bob 105+1 request"}));
  EXPECT_EQ(resend(), (Words{"carol102", "carol104"}));
  EXPECT_FALSE(ledger_.resending());
  EXPECT_EQ(ledger_.unsettled(), 2u);
}

TEST_F(LedgerTest, TheBacklogIsKnownByItsCostAndItsNextRecipient) {
  EXPECT_EQ(ledger_.cost_kept(), 0u);
  const std::uint64_t each = cost("bob", "x");
  write("bob");
  write("bob");
  write("carol", "xyz");
  close_frame();
  EXPECT_EQ(ledger_.cost_kept(), 2 * each + cost("carol", "xyz"));
  receipt("bob", 100);
  EXPECT_EQ(ledger_.cost_kept(), each + cost("carol", "xyz"));

  ledger_.welcomed(welcome_with(each, each), Continuation::kNewRun, told_);
  EXPECT_EQ(ledger_.cost_kept(), each + cost("carol", "xyz"));
  EXPECT_EQ(ledger_.backlog().next_to, "bob");
  EXPECT_EQ(ledger_.backlog().envelopes, 2u);
  EXPECT_EQ(resend(), Words{"bob101"});
  EXPECT_EQ(ledger_.cost_kept(), each + cost("carol", "xyz")) << "sent and waiting";
  EXPECT_EQ(ledger_.backlog().next_to, "carol");
}

TEST_F(LedgerTest, GivingUpReportsEverythingLost) {
  write("bob");
  write("carol");
  close_frame();
  ledger_.abandon(told_);
  EXPECT_EQ(told().size(), 2u);
  EXPECT_EQ(ledger_.unsettled(), 0u);
}

// --- Memory --------------------------------------------------------------------------------------

class LedgerMemoryTest : public LedgerTest {
 protected:
  /// All that is outstanding to `to`, as ids and bodies of the copies a new run would get.
  void expect_copies(const std::string& body, std::size_t count) {
    start(1'000'000'000, 500'000'000);
    ledger_.welcomed(welcome_with(1'000'000'000, 500'000'000), Continuation::kNewRun, told_);
    std::size_t found = 0;
    for (;;) {
      const Ledger::Queued copy = ledger_.next_copy(65'536);
      if (copy.run.count == 0) break;
      FrameReader reader(copy.run.view());
      EnvelopeView view;
      for (; reader.next(view); ++found) EXPECT_EQ(as_text(view.body), body);
      EXPECT_FALSE(reader.failed());
    }
    EXPECT_EQ(found, count);
  }
};

TEST_F(LedgerMemoryTest, AFewBytesForAStalledPeerDoNotKeepTheFramesTheyWentIn) {
  start(1'000'000'000, 500'000'000);
  const std::string small(20, 's');
  const std::string large(4'000, 'L');
  constexpr std::size_t kRounds = 2'000;
  for (std::size_t i = 0; i < kRounds; ++i) {
    write("stone", small);
    std::uint64_t last = 0;
    for (int k = 0; k < 10; ++k) last = write("bob", large);
    close_frame();
    receipt("bob", last);
  }
  const std::uint64_t outstanding = ledger_.recipient("stone").outstanding;
  EXPECT_LT(pool_.allocated_bytes(), 4 * outstanding + (4 << 20)) << "80 MB went through";
  expect_copies(small, kRounds);
}

TEST_F(LedgerMemoryTest, WhatIsLeftOfAFrameDoesNotKeepAllOfIt) {
  start(1'000'000'000, 500'000'000);
  const std::string small(20, 's');
  for (int i = 0; i < 1'000; ++i) {
    const std::string to = "peer" + std::to_string(i);
    write(to, std::string(60'000, 'L'));
    const std::uint64_t taken = write(to, small);
    write(to, small);
    close_frame();
    receipt(to, taken);
  }
  EXPECT_LT(pool_.allocated_bytes(), 4u << 20);
  expect_copies(small, 1'000);
}

TEST_F(LedgerMemoryTest, FramesToOneRecipientAreNotCopied) {
  start(1'000'000'000, 500'000'000);
  for (int i = 0; i < 200; ++i) {
    for (int k = 0; k < 15; ++k) write("bob", std::string(4'000, 'x'));
    close_frame();
  }
  const std::size_t allocated = pool_.allocated_bytes();
  for (std::uint64_t id = 100; id < 3'100; id += 7) receipt("bob", id);
  EXPECT_EQ(pool_.allocated_bytes(), allocated);
}

}  // namespace
}  // namespace zpost::peer
