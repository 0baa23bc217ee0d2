// Who of a recording comes and goes, and what that waits for.
#include "tools/inspect/replay_moves.h"

#include <gtest/gtest.h>

#include "tests/tools/inspect/recorded_entries.h"
#include "tools/inspect/replay_plan.h"

namespace zpost::inspect {
namespace {

class ReplayMovesTest : public ::testing::Test {
 protected:
  void add(const TapEntry& entry) {
    const Result<void> added = builder_.add(entry, false);
    ASSERT_TRUE(added) << added.error().text;
  }

  /// Reads what was added.
  const RecordedPresence& presence_of(std::string_view name) {
    plan_ = builder_.finish();
    const auto found = plan_.presences.find(name);
    EXPECT_NE(found, plan_.presences.end());
    return found->second;
  }

  RecordedEntries recorded_;
  PlanBuilder builder_{ReplayChoice()};
  ReplayPlan plan_;
};

TEST_F(ReplayMovesTest, WhoJoinsInTheRecordingIsNotThereBefore) {
  add(recorded_.received(0, recorded_fields(Kind::kSend, 1, "a")));
  add(recorded_.session(1, "bob", SessionChange::kJoined));
  const RecordedPresence& bob = presence_of("bob");
  EXPECT_FALSE(bob.at_begin);
  ASSERT_EQ(bob.moves.size(), 1U);
  EXPECT_TRUE(bob.moves[0].joins);
  EXPECT_EQ(bob.moves[0].place, 1U);
}

TEST_F(ReplayMovesTest, WhoLeavesWithoutHavingJoinedWasThereFromTheBeginning) {
  add(recorded_.session(1, "bob", SessionChange::kOver));
  const RecordedPresence& bob = presence_of("bob");
  EXPECT_TRUE(bob.at_begin);
  ASSERT_EQ(bob.moves.size(), 1U);
  EXPECT_FALSE(bob.moves[0].joins);
}

TEST_F(ReplayMovesTest, WhoIsAwayAndComesBackNeverLeft) {
  add(recorded_.session(1, "bob", SessionChange::kAway));
  add(recorded_.session(2, "bob", SessionChange::kResumed));
  EXPECT_TRUE(builder_.finish().presences.empty());
}

TEST_F(ReplayMovesTest, WhoSendsThoughItIsGoneHasNotLeft) {
  add(recorded_.session(0, "alice", SessionChange::kOver));
  add(recorded_.received(1, recorded_fields(Kind::kSend, 1, "a")));
  EXPECT_TRUE(presence_of("alice").moves.empty());
}

TEST_F(ReplayMovesTest, WhoWasHeardOfBeforeItJoinedWasThere) {
  add(recorded_.received(0, recorded_fields(Kind::kSend, 1, "a")));
  add(recorded_.session(1, "alice", SessionChange::kJoined));
  const RecordedPresence& alice = presence_of("alice");
  EXPECT_TRUE(alice.at_begin);
  EXPECT_TRUE(alice.moves.empty());
}

TEST_F(ReplayMovesTest, ALeaveWaitsForWhatHadItsEndBefore) {
  add(recorded_.received(0, recorded_fields(Kind::kSend, 1, "a")));
  add(recorded_.ended(1, TapEvent::kDelivered, Kind::kSend, 1, Outcome::kDelivered));
  add(recorded_.session(2, "bob", SessionChange::kOver));
  ReplayMoves moves(&presence_of("bob"));
  EXPECT_TRUE(moves.begin());
  EXPECT_TRUE(moves.are_done_before(0));
  EXPECT_FALSE(moves.are_done_before(1));
  EXPECT_FALSE(moves.is_ready({.ended = {false}, .taken = {false}}));
  EXPECT_TRUE(moves.is_ready({.ended = {true}, .taken = {false}}));
  moves.pass();
  EXPECT_EQ(moves.next(), nullptr);
  EXPECT_TRUE(moves.are_done_before(1));
}

TEST_F(ReplayMovesTest, WhoLeavesWithARequestInHandMustHaveGotIt) {
  add(recorded_.received(0, recorded_fields(Kind::kRequest, 1, "a")));
  add(recorded_.session(2, "bob", SessionChange::kOver));
  TapEntry lost = recorded_.answered(2, 1, 0);
  lost.record.code = static_cast<std::uint16_t>(Outcome::kLost);
  add(lost);
  ReplayMoves moves(&presence_of("bob"));
  EXPECT_TRUE(plan_.items[0].recipient_left);
  EXPECT_TRUE(moves.begin());
  EXPECT_FALSE(moves.is_ready({.ended = {false}, .taken = {false}}));
  EXPECT_TRUE(moves.is_ready({.ended = {false}, .taken = {true}}));
}

TEST_F(ReplayMovesTest, ALoopBeginsWithNoneDone) {
  add(recorded_.session(1, "bob", SessionChange::kJoined));
  add(recorded_.session(2, "bob", SessionChange::kOver));
  ReplayMoves moves(&presence_of("bob"));
  EXPECT_FALSE(moves.begin());
  moves.pass();
  moves.pass();
  EXPECT_EQ(moves.next(), nullptr);
  EXPECT_FALSE(moves.begin());
  EXPECT_TRUE(moves.next()->joins);
}

TEST_F(ReplayMovesTest, WhoHasNoMovesIsThere) {
  ReplayMoves moves(nullptr);
  EXPECT_TRUE(moves.begin());
  EXPECT_EQ(moves.next(), nullptr);
}

}  // namespace
}  // namespace zpost::inspect
