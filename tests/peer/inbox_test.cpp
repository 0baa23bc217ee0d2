// What was received: lanes, "nothing twice", acks, and how they go on after a welcome.
#include "peer/src/inbox.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "peer/src/watermarks.h"

namespace zpost::peer {
namespace {

/// An envelope to be received.
struct Coming {
  std::string from = "alice";
  std::uint64_t id = 0;
  Kind kind = Kind::kSend;
  std::uint64_t again = 0;
};

class InboxTest : public testing::Test {
 protected:
  InboxTest() { welcome(false); }

  std::uint64_t welcome(bool resumed, std::uint64_t taken = 0, std::size_t window_frames = 4) {
    Welcome welcome;
    welcome.resumed = resumed;
    welcome.taken = taken;
    welcome.window_bytes = 1'000'000;
    return inbox_.welcomed(welcome, window_frames);
  }

  /// One frame from the broker, as State reads it.
  void arrive(const std::vector<Coming>& envelopes) {
    auto frame = std::make_shared<ByteBuffer>();
    for (const Coming& coming : envelopes) {
      EnvelopeFields fields;
      fields.kind = coming.kind;
      fields.to = "bob";
      fields.from = coming.from;
      fields.id = coming.id;
      fields.meta.again = coming.again;
      append_envelope(*frame, fields);
    }
    FrameReader reader(*frame);
    EnvelopeView view;
    while (reader.next(view)) {
      const bool fresh = inbox_.accept(view);
      if (fresh && view.kind() == Kind::kSend) inbox_.queue(view);
    }
    inbox_.end_frame(frame, frame->size());
  }

  /// Ids given to the program now, all that is there.
  std::vector<std::uint64_t> receive(std::size_t max = SIZE_MAX) {
    inbox_.take();
    std::vector<EnvelopeView> views;
    if (!inbox_.empty()) inbox_.give(max, views, frames_);
    std::vector<std::uint64_t> ids;
    for (const EnvelopeView& view : views) ids.push_back(view.id);
    return ids;
  }

  using Ids = std::vector<std::uint64_t>;

  Inbox inbox_;
  std::vector<Keeper> frames_;
};

TEST_F(InboxTest, EnvelopesAreGivenInTheirOrder) {
  arrive({{"alice", 1}, {"alice", 2}});
  arrive({{"carol", 7}, {"alice", 3}});
  EXPECT_EQ(receive(3), (Ids{1, 2, 7}));
  EXPECT_EQ(receive(), Ids{3});
  EXPECT_TRUE(inbox_.empty());
}

TEST_F(InboxTest, TakenIsWhatTheProgramAskedBeyond) {
  arrive({{"alice", 1}, {"alice", 2}, {"alice", 3}});
  EXPECT_EQ(inbox_.make_ack().taken, 0u);
  receive(2);
  EXPECT_EQ(inbox_.make_ack().taken, 0u) << "given, not taken";
  receive(1);
  EXPECT_EQ(inbox_.make_ack().taken, 2u);
  inbox_.take();
  EXPECT_EQ(inbox_.make_ack().taken, 3u);
}

TEST_F(InboxTest, WhatNeedsNoProgramCountsAsTakenInItsOrder) {
  arrive({{"", 0, Kind::kPresence}, {"alice", 1}, {"", 0, Kind::kPresence}});
  EXPECT_EQ(inbox_.make_ack().taken, 1u);
  EXPECT_EQ(receive(), Ids{1});
  EXPECT_EQ(inbox_.make_ack().taken, 1u);
  inbox_.take();
  EXPECT_EQ(inbox_.make_ack().taken, 3u);
}

TEST_F(InboxTest, ARequestersRepliesAreTakenWithoutAnyReceive) {
  arrive({{"bob", 1, Kind::kReply}, {"bob", 2, Kind::kReply}});
  EXPECT_TRUE(inbox_.ack_wanted());
  EXPECT_EQ(inbox_.make_ack().taken, 2u);
  EXPECT_FALSE(inbox_.ack_wanted());
}

TEST_F(InboxTest, NothingComesTwiceAndDuplicatesCountAsTaken) {
  arrive({{"alice", 1}, {"alice", 2}});
  arrive({{"alice", 2}, {"alice", 1}, {"alice", 3}, {"carol", 1}});
  EXPECT_EQ(receive(), (Ids{1, 2, 3, 1}));
  inbox_.take();
  EXPECT_EQ(inbox_.make_ack().taken, 6u);
  EXPECT_EQ(inbox_.counts().duplicates, 2u);
}

TEST_F(InboxTest, EnvelopesSentOutOfOrderOnPurposeAreExempt) {
  arrive({{"alice", 5}, {"alice", 3, Kind::kSend, 1}, {"", 1}, {"", 1}});
  EXPECT_EQ(receive(), (Ids{5, 3, 1, 1}));
}

TEST_F(InboxTest, ResumedTheRepeatedEnvelopesAreSkippedByNumber) {
  arrive({{"alice", 1}, {"alice", 2}, {"alice", 3}, {"", 0, Kind::kPresence}});
  receive(1);
  inbox_.take();
  EXPECT_EQ(inbox_.reached().taken, 1u);
  welcome(true, 1);
  arrive({{"alice", 2}, {"alice", 3}, {"", 0, Kind::kPresence}, {"alice", 4}});
  EXPECT_EQ(receive(), (Ids{2, 3, 4}));
  inbox_.take();
  EXPECT_EQ(inbox_.make_ack().taken, 5u);
  EXPECT_EQ(inbox_.counts().duplicates, 0u);
}

TEST_F(InboxTest, ResumedNothingIsAcknowledgedBeforeItWasSentAgain) {
  arrive({{"alice", 1}, {"alice", 2}, {"alice", 3}});
  welcome(true, 0);
  EXPECT_EQ(receive(), (Ids{1, 2, 3}));
  inbox_.take();
  EXPECT_EQ(inbox_.make_ack().taken, 0u);
  EXPECT_EQ(inbox_.reached().taken, 0u);
  arrive({{"alice", 1}, {"alice", 2}});
  EXPECT_EQ(inbox_.make_ack().taken, 2u);
}

TEST_F(InboxTest, NotResumedWhatTheProgramDidNotGetIsDiscardedAndMayComeAgain) {
  arrive({{"alice", 1}, {"alice", 2}, {"carol", 9}});
  EXPECT_EQ(receive(1), Ids{1});
  EXPECT_EQ(welcome(false), 1u) << "the program has one that no ack covered";
  EXPECT_TRUE(inbox_.empty());
  EXPECT_EQ(inbox_.counts().received, 3u) << "never less than before";
  arrive({{"alice", 1}, {"alice", 2}, {"carol", 9}});
  EXPECT_EQ(inbox_.counts().received, 5u);
  EXPECT_EQ(receive(), (Ids{2, 9})) << "1 was given before";
  inbox_.take();
  EXPECT_EQ(inbox_.make_ack().taken, 3u) << "counted anew";
}

TEST_F(InboxTest, AnAcknowledgedEnvelopeIsNotReportedAfterALoss) {
  arrive({{"alice", 1}, {"alice", 2}});
  receive();
  inbox_.take();
  (void)inbox_.make_ack();
  EXPECT_EQ(welcome(false), 0u);
}

TEST_F(InboxTest, AQuarterOfTheWindowMakesAnAckUrgent) {
  welcome(false, 0, 8);
  arrive({{"alice", 1}});
  arrive({{"alice", 2}});
  receive(1);
  receive(1);
  EXPECT_FALSE(inbox_.ack_urgent()) << "given, not taken";
  inbox_.take();
  EXPECT_TRUE(inbox_.ack_urgent());
  (void)inbox_.make_ack();
  EXPECT_FALSE(inbox_.ack_urgent());
}

TEST_F(InboxTest, TheOutcomeLaneNeedsNoProgram) {
  arrive({{"alice", 1}});
  EXPECT_TRUE(inbox_.accept_outcome());
  EXPECT_TRUE(inbox_.accept_outcome());
  const Ack ack = inbox_.make_ack();
  EXPECT_EQ(ack.taken, 0u);
  EXPECT_EQ(ack.outcomes, 2u);
}

TEST_F(InboxTest, OutcomesThatAResumeRepeatsAreSkippedByNumber) {
  EXPECT_TRUE(inbox_.accept_outcome());
  EXPECT_TRUE(inbox_.accept_outcome());
  welcome(true);  // No ack of them arrived.
  EXPECT_FALSE(inbox_.accept_outcome());
  EXPECT_FALSE(inbox_.accept_outcome());
  EXPECT_TRUE(inbox_.accept_outcome());
  EXPECT_EQ(inbox_.make_ack().outcomes, 3u);
}

TEST_F(InboxTest, AFrameLivesAsLongAsSomethingOfItIsGiven) {
  auto frame = std::make_shared<ByteBuffer>();
  EnvelopeFields fields;
  fields.from = "alice";
  fields.id = 1;
  append_envelope(*frame, fields);
  const std::weak_ptr<ByteBuffer> watched = frame;
  FrameReader reader(*frame);
  EnvelopeView view;
  ASSERT_TRUE(reader.next(view));
  ASSERT_TRUE(inbox_.accept(view));
  inbox_.queue(view);
  inbox_.end_frame(frame, frame->size());
  frame.reset();
  {
    Keeper keeper;
    EXPECT_EQ(inbox_.give_one(keeper).from, "alice");
    EXPECT_FALSE(watched.expired());
  }
  EXPECT_TRUE(watched.expired());
}

TEST(WatermarksTest, WhatPassedIsKnownBelowTheMarkToo) {
  Watermarks marks;
  const std::vector<std::uint64_t> ids{1, 2, 3, 7, 10, 13, 14, 20, 21, 22};
  for (const std::uint64_t id : ids) EXPECT_TRUE(marks.pass("a", id));
  for (std::uint64_t id = 1; id <= 25; ++id) {
    const bool passed = std::ranges::find(ids, id) != ids.end();
    EXPECT_EQ(marks.passed("a", id), passed) << id;
    EXPECT_FALSE(marks.passed("b", id));
  }
}

TEST(WatermarksTest, WhatWasTakenBackDidNotPass) {
  Watermarks marks;
  for (const std::uint64_t id : {1U, 2U, 5U, 8U, 11U, 12U}) EXPECT_TRUE(marks.pass("a", id));
  for (const std::uint64_t id : {12U, 11U, 8U}) marks.take_back("a", id);
  EXPECT_TRUE(marks.passed("a", 5));
  for (const std::uint64_t id : {8U, 11U, 12U}) EXPECT_FALSE(marks.passed("a", id));
  EXPECT_TRUE(marks.pass("a", 8));
  EXPECT_TRUE(marks.pass("a", 9));
  EXPECT_TRUE(marks.passed("a", 9));
  EXPECT_FALSE(marks.passed("a", 11));
}

TEST(WatermarksTest, WhatLiesTooFarBackIsNotSure) {
  Watermarks marks;
  std::uint64_t id = 1;
  for (std::uint64_t step = 1; step <= 10'000; ++step) {
    EXPECT_TRUE(marks.pass("a", id));
    id += step % 3 == 0 ? step : 1;
  }
  EXPECT_FALSE(marks.passed("a", 1));
  EXPECT_TRUE(marks.passed("a", id - 1));
}

TEST_F(InboxTest, WhatIsDroppedAndWasNotHadIsDoubted) {
  arrive({{"alice", 1}, {"alice", 5}});
  EXPECT_EQ(receive(), (Ids{1, 5}));
  arrive({{"alice", 1}, {"alice", 2}, {"alice", 3}, {"alice", 5}, {"alice", 6}});
  EXPECT_EQ(receive(), Ids{6});
  EXPECT_EQ(inbox_.take_doubts(), (std::vector<LaneRange>{{4, 2}}));
  EXPECT_TRUE(inbox_.take_doubts().empty()) << "it was told";
  EXPECT_EQ(inbox_.doubts(), (std::vector<LaneRange>{{4, 2}})) << "which may not have been heard";
  welcome(true, 5);
  EXPECT_TRUE(inbox_.doubts().empty()) << "the broker has the ack that covers it";
}

TEST_F(InboxTest, DoubtsAreSaidAgainToASessionThatGoesOn) {
  arrive({{"alice", 5}, {"alice", 2}});
  welcome(true, 1);
  EXPECT_EQ(inbox_.doubts(), (std::vector<LaneRange>{{2, 1}}));
  welcome(false);
  EXPECT_TRUE(inbox_.doubts().empty());
}

TEST(WatermarksTest, TheSenderHeardLeastRecentlyIsForgottenBeyondTheLimit) {
  Watermarks marks(2);
  EXPECT_TRUE(marks.pass("a", 5));
  EXPECT_TRUE(marks.pass("b", 5));
  EXPECT_TRUE(marks.pass("a", 6));
  EXPECT_TRUE(marks.pass("c", 5));  // b goes.
  EXPECT_EQ(marks.size(), 2u);
  EXPECT_FALSE(marks.pass("a", 6));
  EXPECT_TRUE(marks.pass("b", 5));
}

}  // namespace
}  // namespace zpost::peer
