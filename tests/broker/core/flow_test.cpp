// Credit, receipts, acks, windows and full pipes. SPEC.md, section 7.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/broker/core/support/meeting.h"

namespace zpost::core::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

Limits small_credit(std::uint64_t initial, std::uint64_t most = 8 << 20) {
  Limits limits;
  limits.credit_initial = initial;
  limits.credit_max = most;
  limits.pair_share = 1;
  return limits;
}

class FlowTest : public testing::Test, public Meeting {
 protected:
  void wait(std::int64_t ms) { world.advance(ms * kMillisecond); }
};

TEST_F(FlowTest, AReceiptForAnIdleSenderGoesAtOnce) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  alice.send("bob", "1");
  world.settle();
  bob.keep_up();
  EXPECT_THAT(heard(alice), ElementsAre(StartsWith("receipt bob:#")));
}

TEST_F(FlowTest, AReceiptWaitsForCompanyForAMillisecond) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  for (int i = 0; i < 2; ++i) {
    alice.send("bob", "1");
    alice.send("bob", "2");
    world.settle();
    bob.read();
    bob.take(1);
    bob.ack();
    if (i == 0) {
      EXPECT_THAT(heard(alice), SizeIs(1));
    }
  }
  EXPECT_THAT(heard(alice), IsEmpty());
  wait(1);
  EXPECT_THAT(heard(alice), ElementsAre(StartsWith("receipt bob:#")));
}

TEST_F(FlowTest, ReceiptsThatTellOfMuchPauseForUpToFiveMilliseconds) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  const auto send = [&](int count) {
    for (int i = 0; i < count; ++i) alice.send("bob", "1");
    world.settle();
    bob.read();
    bob.take(static_cast<std::uint64_t>(count));
    bob.ack();
  };
  for (const int pause : {0, 2, 4, 5, 5}) {
    send(16);
    if (pause > 0) {
      EXPECT_THAT(heard(alice), IsEmpty());
      wait(pause - 1);
      EXPECT_THAT(heard(alice), IsEmpty()) << pause;
      wait(1);
    }
    EXPECT_THAT(heard(alice), ElementsAre(StartsWith("receipt bob:#"))) << pause;
  }
  wait(5);
  send(15);
  EXPECT_THAT(heard(alice), SizeIs(1));
  send(1);
  wait(1);
  EXPECT_THAT(heard(alice), SizeIs(1)) << "the latest told of less";
}

TEST_F(FlowTest, AReceiptForWhatASimplePeerGotNeedsNoFurtherEvent) {
  FakePeer& alice = join("alice");
  join_simple("bob");
  wait(10);
  alice.send("bob", "1");
  world.turn();
  // The shell sleeps until this deadline.
  EXPECT_LE(world.router().next_deadline(), world.now().steady_ns);
  world.turn();
  EXPECT_EQ(alice.read().size(), 1u);
}

TEST_F(FlowTest, ASimpleSenderNeverWaitsForItsCreditAfterFailures) {
  Meeting room(small_credit(1000));
  FakePeer& alice = room.join_simple("alice");
  for (int i = 0; i < 50; ++i) {
    while (!alice.may_send("nobody", 300)) {
      room.world.advance(kMillisecond);
      alice.read();
    }
    alice.send("nobody", std::string(150, 'x'));
  }
  room.world.advance(kSecond);
  alice.read();
  EXPECT_EQ(alice.told(Outcome::kNoPeer), 50u);
  EXPECT_EQ(alice.unsettled(), 0u);
}

TEST_F(FlowTest, EveryFailureIsCoveredByAReceiptInTheEnd) {
  Meeting room(small_credit(8 << 20));
  FakePeer& alice = room.join("alice");
  FakePeer& bob = room.join("bob");
  Meta durable;
  durable.durable = true;
  alice.send("bob", "keep", Kind::kSend, durable);
  alice.send("bob", std::string(2 << 20, 'x'));
  alice.send("bob", "soon", Kind::kSend, {.deadline_ns = 1});
  alice.send("carol", "hello?");
  alice.send("", "no request");
  room.catch_up();
  EXPECT_EQ(bob.bodies().size(), 0u);
  EXPECT_EQ(alice.told(Outcome::kUnsupported), 3u);
  EXPECT_EQ(alice.told(Outcome::kTooLarge), 1u);
  EXPECT_EQ(alice.copies().size(), 0u);
  EXPECT_EQ(alice.unsettled(), 0u);
}

TEST_F(FlowTest, NoReceiptOvertakesAFailureHoweverManyAreUntold) {
  Meeting room(small_credit(1 << 20));
  FakePeer& alice = room.join("alice");
  FakePeer& bob = room.join("bob");
  Meta durable;
  durable.durable = true;
  // More than one control frame takes; the failures are not acknowledged.
  for (int i = 0; i < 600; ++i) alice.write("bob", "", Kind::kSend, durable);
  alice.write("bob", "after them");
  alice.say();
  room.world.settle();
  bob.keep_up();
  room.world.advance(5 * kMillisecond);
  alice.read();
  EXPECT_EQ(alice.told(Outcome::kUnsupported), 512u);
  EXPECT_EQ(alice.told(Outcome::kDelivered), 0u);
  alice.ack();
  room.catch_up();
  EXPECT_EQ(alice.told(Outcome::kUnsupported), 600u);
  EXPECT_EQ(alice.told(Outcome::kDelivered), 1u);
  EXPECT_EQ(alice.unsettled(), 0u);
}

TEST_F(FlowTest, AReceiptSaysUnconfirmedIfAnyOfWhatItCoversIs) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join_simple("bob");
  world.set_room(alice.connection(), 0);
  alice.send("bob", "1");
  world.settle();
  bob.goodbye();
  FakePeer& next = join(FakePeer::Options{.name = "bob", .instance = instance_of(9)});
  alice.send("bob", "2");
  world.settle();
  next.keep_up();
  world.settle();
  world.set_room(alice.connection(), World::kNoLimit);
  wait(5);
  alice.read();
  EXPECT_EQ(alice.told(Outcome::kUnconfirmed), 2u);
  alice.send("bob", "3");
  catch_up();
  EXPECT_EQ(alice.told(Outcome::kDelivered), 1u);
}

TEST_F(FlowTest, CreditGrowsForASenderWithManyRecipients) {
  Limits limits = small_credit(4000, 64'000);
  limits.pair_share = 4;
  Meeting room(limits);
  FakePeer& alice = room.join("alice");
  for (const char* name : {"b", "c", "d", "e", "f", "g", "h", "i"}) room.join(name);
  // Never more than half of a pair limit for one of them, but all of its credit together.
  for (int round = 0; round < 20; ++round) {
    for (const char* name : {"b", "c", "d", "e", "f", "g", "h", "i"}) {
      if (alice.may_send(name, 400)) alice.send(name, std::string(300, 'x'));
    }
    room.catch_up();
  }
  EXPECT_GT(alice.pair(), 1000u);
}

/// A sender that sends all it may, to bob; carol is there as well.
class FloodTest : public testing::Test {
 protected:
  static constexpr std::uint64_t kMost = 64'000;

  void flood(int rounds) {
    for (int round = 0; round < rounds; ++round) {
      while (alice.may_send("bob", 400)) alice.send("bob", std::string(300, 'x'));
      if (carol_sends) carol.send("bob", "x");
      room.catch_up();
    }
  }

  /// What she may have unsettled, now that nothing is.
  std::uint64_t unsettled() {
    const std::uint64_t before = alice.sent_cost();
    return alice.credit() - before;
  }

  Meeting room{small_credit(1000, kMost)};
  FakePeer& alice = room.join("alice");
  FakePeer& bob = room.join("bob");
  FakePeer& carol = room.join("carol");
  bool carol_sends = false;
};

TEST_F(FloodTest, ALoneSendersCreditGrowsToTheMost) {
  flood(40);
  EXPECT_EQ(unsettled(), kMost);
}

TEST_F(FloodTest, BesideOthersItGrowsToHalfOfThat) {
  carol_sends = true;
  flood(40);
  EXPECT_EQ(unsettled(), kMost / 2);
}

TEST_F(FloodTest, WhatGrewAloneFallsBackBesideOthers) {
  flood(40);
  carol_sends = true;
  flood(40);
  EXPECT_EQ(unsettled(), kMost / 2);
  EXPECT_EQ(alice.pair(), kMost / 2);
}

TEST_F(FlowTest, AFallingPairLimitRefusesNothingThatIsOnItsWay) {
  Limits limits = small_credit(4000, 64'000);
  limits.pair_share = 4;
  Meeting room(limits);
  FakePeer& alice = room.join("alice");
  std::deque<FakePeer*> others;
  for (const char* name : {"bob", "dave", "erin", "fred"}) others.push_back(&room.join(name));
  FakePeer& carol = room.join("carol");
  const std::string body(3000, 'x');
  for (int round = 0; round < 40; ++round) {
    for (const FakePeer* each : others) {
      while (alice.may_send(each->name(), 3200)) alice.send(each->name(), body);
    }
    room.catch_up();
  }
  ASSERT_EQ(alice.pair(), 16'000U);

  carol.send("bob", "x");
  for (std::size_t i = 0; i < 20; ++i) {
    // She does not read meanwhile, and has read 16,000.
    alice.send(others[1 + i % 3]->name(), body);
    room.world.advance(3 * kMillisecond);
    for (FakePeer* each : others) each->keep_up();
  }
  for (int i = 0; i < 5; ++i) alice.send("bob", body);
  room.catch_up();
  EXPECT_EQ(alice.pair(), 8000U);
  EXPECT_EQ(alice.told(Outcome::kOverCredit), 0U);
}

TEST_F(FloodTest, WhatItWasGrantedStaysReservedUntilItIsUsed) {
  flood(40);
  carol_sends = true;
  carol.send("bob", "x");
  for (int i = 0; i < 5; ++i) {
    alice.send("bob", "x");
    room.catch_up();
    const std::uint64_t idle = 1000;  // Bob's and Carol's.
    EXPECT_EQ(room.world.router().metrics().granted_bytes, unsettled() + 2 * idle);
  }
}

TEST_F(FloodTest, ThatSomebodySendsLittleBesideItIsKnownForAWhile) {
  const auto senders_differ = [this] { return room.world.router().senders_differ(); };
  carol.send("bob", "x");
  room.catch_up();
  EXPECT_FALSE(senders_differ());  // Nobody sends much.
  flood(40);
  for (int i = 0; i < 2; ++i) room.world.advance(2 * kSecond);
  flood(1);
  EXPECT_FALSE(senders_differ());  // What she has grew.
  carol_sends = true;
  flood(1);
  EXPECT_TRUE(senders_differ());
  carol_sends = false;
  room.world.advance(2 * kSecond);
  flood(1);
  EXPECT_FALSE(senders_differ());
}

TEST_F(FloodTest, ItGrowsAgainTwoSecondsAfterTheOthersFellSilent) {
  carol_sends = true;
  flood(40);
  carol_sends = false;
  room.world.advance(2 * kSecond);
  flood(40);
  EXPECT_EQ(unsettled(), kMost);
}

TEST_F(FlowTest, CreditDoesNotGrowForWhoDoesNotNeedIt) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  for (int i = 0; i < 100; ++i) {
    alice.send("bob", "small");
    wait(2);
    bob.keep_up();
    wait(2);
    alice.read();
  }
  EXPECT_EQ(alice.pair(), 8192u);
}

TEST_F(FlowTest, ALowerTotalIsNotAdoptedByAnAckThatCrossesIt) {
  Limits limits = small_credit(1000, 4000);
  limits.credit_idle_ns = 2 * kSecond;
  limits.heartbeat_ns = limits.silence_ns = 60 * kSecond;
  Meeting room(limits);
  FakePeer& alice = room.join("alice");
  room.join("bob");
  alice.send("bob", std::string(700, 'x'));
  room.catch_up();
  alice.send("bob", std::string(1500, 'x'));
  room.catch_up();
  ASSERT_EQ(alice.pair(), 4000u);
  while (room.world.unread(alice.connection()) == 0) room.world.advance(kSecond);
  alice.read();  // Which total she goes by, she is asked.
  ASSERT_EQ(alice.pair(), 4000u);

  while (room.world.unread(alice.connection()) == 0) room.world.advance(kSecond);
  alice.write_ack();  // Says the old total.
  alice.say();
  for (int i = 0; i < 3; ++i) {
    room.world.settle();
    alice.keep_up();
    alice.ack();
  }
  room.world.advance(kSecond);
  EXPECT_EQ(alice.pair(), 1000u);
  // And it is well again afterwards.
  alice.send("bob", std::string(700, 'x'));
  room.catch_up();
  EXPECT_EQ(alice.told(Outcome::kOverCredit), 0u);
}

TEST_F(FlowTest, AnAckIsCumulativeAndMayNotFall) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  for (int i = 0; i < 5; ++i) alice.send("bob", "x");
  world.settle();
  bob.read();
  bob.write_ack({4, 0, 0});
  bob.write_ack({2, 0, 0});
  bob.say();
  world.settle();
  EXPECT_EQ(world.router().accounting().delivered, 4u);
}

TEST_F(FlowTest, WhatARecipientDoubtsIsLost) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  std::vector<std::uint64_t> ids;
  for (int i = 0; i < 6; ++i) ids.push_back(alice.write("bob", "x"));
  alice.say();
  world.settle();
  bob.read();
  bob.take();
  const auto doubt = [&](std::vector<LaneRange> ranges) {
    const ByteBuffer body = encode(Doubt{std::move(ranges)});
    bob.write_raw({.kind = Kind::kDoubt, .from = "bob", .body = body});
  };
  doubt({{2, 2}, {5, 1}});
  doubt({{5, 1}, {7, 3}, {UINT64_MAX, UINT64_MAX}});  // Known, and not sent yet.
  bob.ack();
  for (int i = 0; i < 3; ++i) catch_up();
  EXPECT_EQ(alice.told(Outcome::kLost), 3U);
  EXPECT_EQ(alice.told(Outcome::kDelivered), 3U);
  EXPECT_TRUE(alice.copies().empty());
  EXPECT_EQ(world.router().accounting().held, 0U);
}

TEST_F(FlowTest, WhatAHelloDoubtsCountsBeforeWhatItSaysWasTaken) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  for (int i = 0; i < 3; ++i) alice.write("bob", "x");
  alice.say();
  world.settle();
  bob.read();
  bob.take();
  bob.lose();
  bob.connect();
  FakePeer::Options options = bob.options();
  options.doubts = {{1, 2}};
  bob.set_options(options);
  bob.hello();
  for (int i = 0; i < 3; ++i) catch_up();
  EXPECT_EQ(alice.told(Outcome::kLost), 2U);
  EXPECT_EQ(alice.told(Outcome::kDelivered), 1U);
}

TEST_F(FlowTest, WhatIsHandedOverInAFrameCannotBeAcknowledgedInIt) {
  for (const bool acks : {false, true}) {
    FakePeer& bob = join(FakePeer::Options{
        .name = acks ? "bob" : "simple", .instance = instance_of(acks ? 8 : 9), .acks = acks});
    for (std::uint64_t turn = 1; turn <= 2; ++turn) {
      bob.write(bob.name(), std::string(70'000, 'x'));
      // Hands over what came before.
      bob.write_interest(Kind::kSubscribe, encode(Subscribe{"x"}), false);
      const ByteBuffer doubt = encode(Doubt{{{turn, 1}}});
      bob.write_raw({.kind = Kind::kDoubt, .from = bob.name(), .body = doubt});
      bob.write_ack({turn, 0, 0});
      bob.say();
      world.settle();
    }
    bob.goodbye();
    catch_up();
    EXPECT_EQ(world.router().accounting().held, 0U);
    EXPECT_EQ(world.router().held_bytes(), 0U);
  }
}

TEST_F(FlowTest, AWindowOpensByAcksInTheMiddleOfAFrame) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join(FakePeer::Options{.name = "bob", .frames = 1});
  for (int i = 0; i < 3; ++i) alice.write("bob", "x");
  alice.say();
  alice.send("bob", "y");
  world.settle();
  bob.read();
  EXPECT_EQ(bob.arrived(), 4u);  // One turn makes one bundle.
  alice.send("bob", "z");
  world.settle();
  bob.take(3);
  bob.ack();
  world.settle();
  bob.read();
  EXPECT_EQ(bob.arrived(), 4u);  // The frame is not taken yet.
  bob.take();
  bob.ack();
  world.settle();
  bob.read();
  EXPECT_EQ(bob.arrived(), 5u);
}

TEST_F(FlowTest, APipeThatWasFullOnceIsForgivenWhenItTakesFramesAgain) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  world.set_room(bob.connection(), 0);
  alice.send("bob", "1");
  world.settle();
  world.set_room(bob.connection(), World::kNoLimit);
  for (int i = 0; i < 60; ++i) {
    wait(1000);
    alice.read();
    bob.keep_up();
  }
  EXPECT_TRUE(bob.welcomed());
  EXPECT_EQ(bob.told(Outcome::kNone), 0u);
  EXPECT_EQ(world.router().sessions(), 2u);
}

TEST_F(FlowTest, AReaderSlowerThanItsSenderIsNotUnresponsive) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join_simple("bob");
  world.set_room(bob.connection(), 1);
  for (int i = 0; i < 100; ++i) {
    while (alice.may_send("bob", 1200)) {
      alice.send("bob", std::string(1000, 'x'));
      world.settle();
    }
    wait(500);
    alice.keep_up();
    bob.read();
  }
  EXPECT_TRUE(bob.welcomed());
  EXPECT_GT(bob.bodies().size(), 50u);
}

TEST_F(FlowTest, WhatMetAFullPipeIsCountedOnceWhenItGoes) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join_simple("bob");
  world.set_room(bob.connection(), 1);
  for (int i = 0; i < 4; ++i) {
    alice.send("bob", std::to_string(i));
    world.settle();
  }
  EXPECT_EQ(world.router().accounting().unconfirmed, 1u);
  EXPECT_EQ(world.router().accounting().held, 3u);
  for (int i = 0; i < 4; ++i) {
    bob.read();
    wait(3);
  }
  EXPECT_THAT(bob.bodies(), ElementsAre("0", "1", "2", "3"));
  EXPECT_EQ(world.router().accounting().unconfirmed, 4u);
}

TEST_F(FlowTest, WhatMetAFullPipeTakesUpTheWindowOnce) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join(FakePeer::Options{.name = "bob", .window = 2000});
  world.set_room(bob.connection(), 0);
  alice.send("bob", std::string(1000, 'x'));
  world.settle();
  wait(20);  // Tried again and again.
  world.set_room(bob.connection(), World::kNoLimit);
  wait(3);
  bob.read();
  alice.send("bob", std::string(800, 'y'));
  world.settle();
  bob.read();
  EXPECT_EQ(bob.arrived(), 2u) << "both fit, though the first is not acknowledged";
}

TEST_F(FlowTest, OutcomesThatMetAFullPipeAreToldLater) {
  FakePeer& alice = join("alice");
  world.set_room(alice.connection(), 0);
  alice.send("nobody", "1");
  alice.write_raw({.kind = Kind::kPing, .from = "alice", .body = as_bytes("?")});
  alice.say();
  world.settle();
  world.set_room(alice.connection(), World::kNoLimit);
  wait(3);
  EXPECT_THAT(heard(alice),
              ElementsAre("pong \"?\"", StartsWith("outcome #"), StartsWith("credit=")));
}

}  // namespace
}  // namespace zpost::core::test
