// Peers that want too much, and ends in the middle of things: bounds hold, and all is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/broker/core/support/meeting.h"
#include "zpost/protocol/msgpack_writer.h"

namespace zpost::core::test {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

class HostileTest : public testing::Test, public Meeting {
 protected:
  static ByteBuffer question(std::string_view op) {
    ByteBuffer body;
    MsgpackWriter(body).map(1).str("op").str(op);
    return body;
  }

  /// The texts of the outcomes that `peer` was sent by now.
  std::vector<std::string> outcome_texts(FakePeer& peer) {
    world.settle();
    std::vector<std::string> texts;
    for (const std::string& frame : peer.read()) {
      FrameReader reader(as_bytes(frame));
      EnvelopeView view;
      while (reader.next(view)) {
        if (view.kind() != Kind::kOutcome) continue;
        const auto notice = decode_outcome(view.body);
        texts.emplace_back(notice ? notice->text : "unreadable");
      }
    }
    return texts;
  }
};

// ---- Ends

TEST_F(HostileTest, AFarewellWhileAWatcherIsAwayWithMailEndsInOrder) {
  FakePeer& watcher = join("watcher");
  watcher.write_watch("*");
  watcher.say();
  FakePeer& alice = join("alice");
  world.settle();
  watcher.lose();
  world.settle();
  alice.send("watcher", "for later");
  world.settle();
  world.farewell();
  EXPECT_TRUE(world.router().drained());
  EXPECT_THAT(heard(alice), Contains(StartsWith("goodbye draining")));
}

TEST_F(HostileTest, AnIdleAwayPeerDoesNotHoldUpTheDrain) {
  FakePeer& alice = join("alice");
  alice.lose();
  world.settle();
  world.drain();
  EXPECT_TRUE(world.router().drained());
}

TEST_F(HostileTest, WhoIsThrownOutHearsFirstWhatBecameOfItsEnvelopes) {
  Limits limits;
  limits.violations = 2;
  Meeting room(limits);
  FakePeer& bob = room.join("bob");
  FakePeer& alice = room.join(FakePeer::Options{.name = "alice", .honest = false});
  alice.write("bob", "good");
  for (int i = 0; i < 2; ++i) {
    alice.write_raw({.to = "bob", .from = "alice", .id = alice.last_id()});
  }
  alice.say();
  EXPECT_THAT(
      room.heard(alice),
      ElementsAre(StartsWith("outcome"), StartsWith("outcome"),
                  AllOf(StartsWith("refused violations"), HasSubstr("2 violations"),
                        HasSubstr("limits.violations is 2"), HasSubstr("an id not above"))));
  bob.keep_up();
  EXPECT_THAT(bob.bodies(), ElementsAre("good"));
}

TEST_F(HostileTest, ASecondSocketOfAnInstanceShutsTheFirst) {
  FakePeer& alice = join("alice");
  const ConnectionId first = alice.connection();
  alice.forget_session();
  alice.connect();
  alice.hello();
  world.settle();
  EXPECT_TRUE(world.expelled(first));
  EXPECT_THAT(world.take_log(), Contains(HasSubstr("left name=alice why=restarted")));
}

TEST_F(HostileTest, ATapThatCannotBeReadIsRejectedAndNotOpened) {
  FakePeer& alice = join("alice");
  ByteBuffer body;
  MsgpackWriter(body).map(2).str("op").str("tap").str("from").str("!!");
  alice.send("", as_text(body), Kind::kRequest);
  catch_up();
  EXPECT_EQ(world.tap_requests(), 0u);
  EXPECT_THAT(alice.bodies(), ElementsAre("bad value of key \"from\""));
}

// ---- Outcomes

TEST_F(HostileTest, AFailureSaysWhyInWordsAndWithTheLimit) {
  Limits limits;
  limits.max_envelope = 1000;
  Meeting room(limits);
  FakePeer& alice = room.join(FakePeer::Options{.name = "alice", .honest = false});
  alice.send("nobody", "x");
  alice.send("nobody", std::string(2000, 'x'));
  room.world.settle();
  EXPECT_THAT(outcome_texts(alice),
              ElementsAre("no peer of that name", "limits.max_envelope is 1000 bytes"));
}

// ---- Bounds

TEST_F(HostileTest, ADemandWithoutEndIsNoOverflow) {
  FakePeer& bob = join(FakePeer::Options{.name = "bob", .demand = UINT64_MAX});
  FakePeer& alice = join("alice");
  alice.send("bob", "1");
  world.settle();
  bob.keep_up();
  bob.connect();
  bob.hello();
  world.settle();
  bob.read();
  alice.send("bob", "2");
  world.settle();
  bob.keep_up();
  EXPECT_THAT(bob.bodies(), ElementsAre("1", "2"));
}

TEST_F(HostileTest, RecipientsDealtWithLongAgoAreForgotten) {
  FakePeer& alice = join("alice");
  for (int i = 0; i < 100; ++i) {
    alice.send("nobody" + std::to_string(i), "x");
    catch_up();
  }
  const std::size_t before = world.router().pairs();
  world.advance(2 * 60 * kSecond);
  EXPECT_GE(before, 100u);
  EXPECT_LE(world.router().pairs(), 1u);
}

TEST_F(HostileTest, AFewPeersWithManyRecipientsLeaveRoomForOthers) {
  Limits limits;
  limits.memory = 4 << 20;  // A sixteenth of it holds 655 pairs.
  Meeting room(limits);
  for (int i = 0; i < 3; ++i) {
    FakePeer& peer =
        room.join(FakePeer::Options{.name = "flood" + std::to_string(i), .honest = false});
    for (int to = 0; to < 400; ++to) {
      peer.send("nobody" + std::to_string(to), "x");
      if (to % 50 == 0) room.catch_up();
    }
    room.catch_up();
    if (i == 2) {
      EXPECT_GT(peer.told(Outcome::kFull), 0u);
    }
  }
  EXPECT_LE(room.world.router().pairs(), 655u + 3u * 64u);
  FakePeer& late = room.join("late");
  room.join("bob");
  late.send("bob", "hello");
  room.catch_up();
  EXPECT_EQ(late.told(Outcome::kDelivered), 1u);
}

TEST_F(HostileTest, NewWatchesAreSlowedDown) {
  Limits limits;
  limits.watches = 2;
  limits.violations = 1;
  Meeting room(limits);
  FakePeer& alice = room.join(FakePeer::Options{.name = "alice", .honest = false});
  for (int i = 0; i < 4; ++i) {
    alice.write_watch("a");
    alice.write_watch("a", false);
  }
  alice.say();
  EXPECT_THAT(room.heard(alice), SizeIs(0));
  room.world.advance(kSecond);
  for (int i = 0; i < 5; ++i) {
    alice.write_watch("a");
    alice.write_watch("a", false);
  }
  alice.say();
  EXPECT_THAT(room.heard(alice), ElementsAre(HasSubstr("more than 4 of them within a second")));
}

TEST_F(HostileTest, AnswersThatNobodyTakesFillAQuarterOfTheMemoryAtMost) {
  Limits limits;
  limits.memory = 4 << 20;
  Meeting room(limits);
  const std::string large(500, 'm');
  for (int i = 0; i < 40; ++i) {
    room.join(FakePeer::Options{.name = "peer" + std::to_string(i), .metadata = {{"k", large}}});
  }
  FakePeer& alice = room.join(FakePeer::Options{.name = "alice", .honest = false});
  for (int i = 0; i < 300; ++i) {
    alice.send("", as_text(question("who")), Kind::kRequest);
    room.world.settle();
  }
  EXPECT_LE(room.world.router().held_bytes(), limits.memory / 4);
  FakePeer& bob = room.join("bob");
  bob.send("peer1", "hello");
  room.catch_up();
  EXPECT_EQ(bob.told(Outcome::kDelivered), 1u);
  EXPECT_GT(alice.told(Outcome::kFull), 0u);
}

TEST_F(HostileTest, StatisticsAreAnsweredWhileMemoryIsUsedUp) {
  FakePeer& alice = join("alice");
  world.router().set_process_memory(UINT64_MAX);
  alice.send("", as_text(question("stats")), Kind::kRequest);
  catch_up();
  EXPECT_EQ(alice.told(Outcome::kFull), 0u);
  EXPECT_THAT(alice.bodies(), SizeIs(1));
}

TEST_F(HostileTest, AForgedHelloIsNotRepeatedAsItCame) {
  FakePeer mallory(world, {.name = "mallory", .honest = false});
  mallory.connect();
  const ByteBuffer body = encode(Hello{.instance = instance_of(1)});
  mallory.write_raw({.kind = Kind::kHello, .from = "a\"\nb", .body = body});
  mallory.say();
  EXPECT_THAT(heard(mallory), ElementsAre(HasSubstr("comes from \"a??b\"")));
}

// ---- A backlog

TEST_F(HostileTest, ABacklogIsAdmittedWholeSoThatNoRecipientHoldsUpTheOthers) {
  FakePeer& alice = join("alice");
  EXPECT_EQ(alice.pair(), 8u << 10);
  FakePeer bob(world, {.name = "bob", .backlog = 3 << 20});
  come(bob);
  EXPECT_GE(bob.pair(), 3u << 20);
  FakePeer greedy(world, {.name = "greedy", .backlog = UINT64_MAX});
  come(greedy);
  EXPECT_EQ(greedy.credit(), Limits{}.credit_max);
}

TEST_F(HostileTest, BacklogsTakeNoMoreThanHalfOfTheBudget) {
  Limits limits;
  limits.memory = 16 << 20;
  Meeting room(limits);
  for (int i = 0; i < 50; ++i) {
    room.join(FakePeer::Options{.name = "greedy" + std::to_string(i), .backlog = UINT64_MAX});
  }
  FakePeer& late = room.join("late");
  EXPECT_TRUE(late.welcomed());
}

}  // namespace
}  // namespace zpost::core::test
