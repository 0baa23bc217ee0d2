// Who receives what: order, bundles, whole frames, limits of memory and queues, the tap's notes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/broker/core/support/meeting.h"
#include "zpost/protocol/msgpack_writer.h"

namespace zpost::core::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

/// One pair may have a large frame under way from the beginning.
Limits wide_credit() {
  Limits limits;
  limits.credit_initial = 8 << 20;
  limits.pair_share = 1;
  return limits;
}

class RoutingTest : public testing::Test, public Meeting {
 protected:
  nlohmann::json ask(FakePeer& peer, const std::string& op) {
    ByteBuffer body;
    MsgpackWriter(body).map(1).str("op").str(op);
    peer.send("", as_text(body), Kind::kRequest);
    world.settle();
    peer.read();
    return nlohmann::json::from_msgpack(peer.bodies().back());
  }
};

TEST_F(RoutingTest, ALargeFrameForOneRecipientIsForwardedByReference) {
  Meeting room(wide_credit());
  FakePeer& alice = room.join("alice");
  FakePeer& bob = room.join("bob");
  for (int i = 0; i < 100; ++i) alice.write("bob", std::string(100, 'x'));
  const std::string frame = alice.draft();
  alice.say();
  room.world.settle();
  EXPECT_EQ(room.world.whole_frames(), 1u);
  EXPECT_THAT(bob.read(), ElementsAre(frame));
}

TEST_F(RoutingTest, ALargeFrameWithAHoleOrTwoRecipientsIsCopied) {
  Meeting room(wide_credit());
  FakePeer& alice = room.join(FakePeer::Options{.name = "alice", .honest = false});
  FakePeer& bob = room.join("bob");
  FakePeer& carol = room.join("carol");
  alice.write("bob", std::string(5000, 'x'));
  alice.write_raw({.to = "bob", .from = "mallory", .id = 1});
  alice.write("bob", std::string(5000, 'y'));
  alice.say();
  alice.write("bob", std::string(9000, 'x'));
  alice.write("carol", std::string(100, 'x'));
  alice.say();
  room.world.settle();
  EXPECT_EQ(room.world.whole_frames(), 0u);
  bob.read();
  carol.read();
  EXPECT_THAT(bob.bodies(), SizeIs(3));
  EXPECT_THAT(carol.bodies(), SizeIs(1));
}

TEST_F(RoutingTest, ASmallFrameJoinsItsRecipientsBundle) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  FakePeer& carol = join("carol");
  for (int i = 0; i < 3; ++i) {
    alice.send("bob", "from alice");
    carol.send("bob", "from carol");
  }
  world.settle();
  EXPECT_THAT(bob.read(), SizeIs(1));
  EXPECT_THAT(bob.bodies(), SizeIs(6));
}

TEST_F(RoutingTest, ABundleGrowsToSixtyFourKibibytes) {
  Limits limits;
  limits.credit_initial = 1 << 20;
  Meeting room(limits);
  FakePeer& alice = room.join("alice");
  FakePeer& bob = room.join("bob");
  for (int i = 0; i < 200; ++i) alice.send("bob", std::string(1000, 'x'));
  room.world.settle();
  const auto frames = bob.read();
  EXPECT_GE(frames.size(), 4u);
  for (const std::string& frame : frames) EXPECT_LE(frame.size(), 64u << 10);
  EXPECT_THAT(bob.bodies(), SizeIs(200));
}

TEST_F(RoutingTest, WhatSeveralSendInTurnArrivesInTheOrderOfEach) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  FakePeer& carol = join("carol");
  for (int i = 0; i < 20; ++i) {
    alice.send("carol", "a" + std::to_string(i));
    bob.send("carol", "b" + std::to_string(i));
    if (i % 3 == 0) carol.keep_up();
    if (i % 2 == 0) world.turn();
  }
  catch_up();
  std::vector<std::string> from_alice;
  for (const std::string& body : carol.bodies()) {
    if (body.front() == 'a') from_alice.push_back(body);
  }
  ASSERT_THAT(from_alice, SizeIs(20));
  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(from_alice[i], "a" + std::to_string(i));
}

TEST_F(RoutingTest, APeerMayWriteToItself) {
  FakePeer& alice = join("alice");
  alice.send("alice", "note to self");
  catch_up();
  EXPECT_THAT(alice.bodies(), ElementsAre("note to self"));
  EXPECT_EQ(alice.told(Outcome::kDelivered), 1u);
}

TEST_F(RoutingTest, WhoLeavesWithMailFromItselfTellsNobody) {
  FakePeer& alice = join("alice");
  for (int i = 0; i < 5; ++i) alice.write("alice", "note to self");
  alice.write_goodbye({});
  alice.say();
  world.settle();
  EXPECT_EQ(world.router().accounting().held, 0u);
  EXPECT_EQ(world.router().sessions(), 0u);
}

TEST_F(RoutingTest, AQueueAtItsLimitStillTakesOneEnvelopeWhenItIsEmpty) {
  Limits limits;
  limits.queue = 100;
  Meeting room(limits);
  FakePeer& alice = room.join("alice");
  FakePeer& bob = room.join("bob");
  alice.send("bob", std::string(5000, 'x'));
  alice.send("bob", "too much");
  room.catch_up();
  EXPECT_THAT(bob.bodies(), SizeIs(1));
  EXPECT_EQ(alice.told(Outcome::kFull), 1u);
}

TEST_F(RoutingTest, ManyPeersWithOneLargeEnvelopeEachStayWithinMemory) {
  Limits limits;
  limits.credit_initial = 1000;
  limits.memory = 1 << 20;
  Meeting room(limits);
  FakePeer& sink = room.join("sink");
  for (int i = 0; i < 40; ++i) {
    FakePeer& peer = room.join("peer" + std::to_string(i));
    peer.send("sink", std::string(100'000, 'x'));
    room.world.settle();
  }
  EXPECT_LE(room.world.router().held_bytes(), limits.memory);
  EXPECT_GT(room.world.router().accounting().failed_by[static_cast<int>(Outcome::kFull)], 20u);
  sink.read();
}

TEST_F(RoutingTest, WhoAsksTheBrokerAndDoesNotTakeTheAnswersIsRefused) {
  Limits limits;
  limits.window = 10'000;
  Meeting room(limits);
  FakePeer& alice = room.join(FakePeer::Options{.name = "alice", .window = 100});
  ByteBuffer body;
  MsgpackWriter(body).map(1).str("op").str("stats");
  for (int i = 0; i < 200; ++i) alice.send("", as_text(body), Kind::kRequest);
  room.world.settle();
  EXPECT_LE(room.world.router().held_bytes(), limits.window + 1000);
  room.catch_up();
  EXPECT_GT(alice.told(Outcome::kFull), 0u);
}

TEST_F(RoutingTest, ASenderMayHaveDealtWithEightThousandRecipientsLately) {
  FakePeer& alice = join(FakePeer::Options{.name = "alice", .honest = false});
  const auto send_to_all = [&](int from, int to) {
    for (int i = from; i < to; ++i) {
      alice.write("peer" + std::to_string(i), "");
      if (i % 200 != 0) continue;
      alice.say();
      world.advance(3 * kMillisecond);
      alice.keep_up();
      world.settle();
    }
    if (!alice.draft().empty()) alice.say();
    world.advance(3 * kMillisecond);
    alice.keep_up();
    world.settle();
  };
  send_to_all(0, 8300);
  EXPECT_EQ(alice.told(Outcome::kNoPeer), 8192u);
  EXPECT_EQ(alice.told(Outcome::kFull), 8300u - 8192u);
  // A minute later the old ones make room.
  for (int i = 0; i < 60; ++i) {
    world.advance(kSecond);
    alice.read();
  }
  send_to_all(9000, 9100);
  EXPECT_EQ(alice.told(Outcome::kNoPeer), 8292u);
}

TEST_F(RoutingTest, AnswersOfTheBrokerAreCountedAsCopies) {
  FakePeer& alice = join("alice");
  const auto stats = ask(alice, "stats");
  EXPECT_EQ(stats["peers"], 1);
  EXPECT_EQ(stats["counters"]["received"], 1);
  EXPECT_EQ(stats["counters"]["delivered"], 1);
  EXPECT_EQ(world.router().accounting().copies, 1u);
  catch_up();
  EXPECT_EQ(world.router().accounting().held, 0u);
}

TEST_F(RoutingTest, TheTapIsOpenedByARequestAndEndsWithTheSession) {
  FakePeer& alice = join("alice");
  EXPECT_EQ(ask(alice, "tap")["ok"], true);
  EXPECT_EQ(world.tap_requests(), 1u);
}

TEST_F(RoutingTest, SoManyInspectorsAtATimeAndNoMore) {
  Limits limits;
  limits.inspectors = 2;
  Meeting meeting(limits);
  std::vector<FakePeer*> peers;
  for (const std::string name : {"alice", "bob", "carol"}) peers.push_back(&meeting.join(name));
  const auto ask_for = [&](FakePeer& peer, std::string_view op) {
    ByteBuffer body;
    MsgpackWriter(body).map(1).str("op").str(op);
    peer.send("", as_text(body), Kind::kRequest);
    return meeting.heard(peer);
  };
  (void)ask_for(*peers[0], "tap");
  (void)ask_for(*peers[1], "recall");
  (void)ask_for(*peers[1], "tap");
  EXPECT_EQ(meeting.world.tap_requests(), 3u) << "one peer counts once";
  EXPECT_THAT(ask_for(*peers[2], "tap"), Contains(HasSubstr("limits.inspectors (2)")));
  EXPECT_EQ(meeting.world.tap_requests(), 3u);
  (void)ask_for(*peers[0], "untap");
  (void)ask_for(*peers[2], "tap");
  EXPECT_EQ(meeting.world.tap_requests(), 4u);
}

TEST_F(RoutingTest, TapNotesSpeakOfRuns) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  world.router().set_tap(TapDetail::kTopics);
  const std::uint64_t first = alice.write("bob", "one");
  alice.write("bob", "two");
  alice.write("nobody", "three");
  alice.say();
  world.settle();
  bob.keep_up();
  world.settle();
  std::vector<TapEvent> events;
  for (const TapNote& note : world.take_tap()) {
    events.push_back(note.record.event);
    if (note.record.event == TapEvent::kReceived || note.record.event == TapEvent::kDelivered) {
      EXPECT_EQ(note.record.first_id, first);
      EXPECT_EQ(note.record.count, 2u);
      EXPECT_EQ(world.router().name_of(note.record.from), "alice");
      EXPECT_EQ(world.router().name_of(note.record.to), "bob");
    }
  }
  EXPECT_THAT(events, ElementsAre(TapEvent::kFailed, TapEvent::kReceived, TapEvent::kForwarded,
                                  TapEvent::kDelivered));
}

TEST_F(RoutingTest, TheBrokerSendsOnlyWhatFitsTheWindow) {
  FakePeer& alice = join(FakePeer::Options{.name = "alice", .frames = 2});
  const SessionId session = world.session_of(alice.connection());
  EXPECT_TRUE(world.send_from_broker(session, "one"));
  EXPECT_FALSE(world.send_from_broker(session, "while it waits"));
  world.settle();
  EXPECT_TRUE(world.send_from_broker(session, "two"));
  world.settle();
  EXPECT_FALSE(world.send_from_broker(session, "beyond the window"));
  catch_up();
  EXPECT_THAT(alice.bodies(), ElementsAre("one", "two"));
  EXPECT_FALSE(world.send_from_broker(session + 1, "nobody"));
}

TEST_F(RoutingTest, AWatchSaidAgainTellsNothingTwice) {
  FakePeer& alice = join("alice");
  join("bob");
  alice.write_watch("b*");
  alice.write_watch("b*");
  alice.say();
  EXPECT_THAT(heard(alice), ElementsAre("presence bob present"));
  join("bert");
  EXPECT_THAT(heard(alice), ElementsAre("presence bert joined"));
}

TEST_F(RoutingTest, MoreWatchesThanTheLimitAreAViolation) {
  Limits limits;
  limits.watches = 2;
  limits.violations = 1;
  Meeting room(limits);
  FakePeer& alice = room.join("alice");
  alice.write_watch("a");
  alice.write_watch("b");
  alice.write_watch("a", false);
  alice.write_watch("c");
  alice.say();
  EXPECT_THAT(room.heard(alice), SizeIs(0));
  alice.write_watch("d");
  alice.say();
  EXPECT_THAT(room.heard(alice), ElementsAre(StartsWith("refused violations")));
}

TEST_F(RoutingTest, NobodyComesInWhileTheBrokerDrains) {
  FakePeer& alice = join("alice");
  FakePeer other(world, {.name = "alice", .instance = instance_of(7)});
  other.connect();
  other.hello();
  world.settle();
  world.drain();
  world.advance(2 * kSecond);
  EXPECT_THAT(heard(other), ElementsAre(StartsWith("refused draining")));
  alice.read();
  EXPECT_TRUE(world.router().drained());
}

TEST_F(RoutingTest, AFarewellLeavesNobody) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join_simple("bob");
  alice.send("bob", "1");
  bob.send("alice", "2");
  world.settle();
  world.farewell();
  EXPECT_TRUE(world.router().drained());
  EXPECT_EQ(alice.told(Outcome::kLost), 0u);
  bob.read();
  EXPECT_EQ(bob.told(Outcome::kLost), 1u);
}

}  // namespace
}  // namespace zpost::core::test
