// Sessions: who is welcomed, who keeps a name, what a resume brings back. SPEC.md, section 5.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/broker/core/support/meeting.h"

namespace zpost::core::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class SessionTest : public testing::Test, public Meeting {
 protected:
  /// What the broker says to a hello with this body.
  std::string answer_to(const std::string& name, Bytes body, std::string_view from) {
    FakePeer stranger(world, {.name = name, .honest = false});
    stranger.connect();
    stranger.write_raw({.kind = Kind::kHello, .from = from, .body = body});
    stranger.say();
    const auto lines = heard(stranger);
    return lines.empty() ? "" : lines.front();
  }
};

TEST_F(SessionTest, AHelloFromAnotherNameThanTheConnectionsIsForged) {
  const ByteBuffer body = encode(Hello{.instance = instance_of(1)});
  EXPECT_THAT(answer_to("alice", body, "bob"), StartsWith("refused forged"));
}

TEST_F(SessionTest, AHelloThatCannotBeReadIsMalformedAndSaysWhere) {
  EXPECT_THAT(answer_to("alice", as_bytes("junk"), "alice"), StartsWith("refused malformed"));
  const ByteBuffer no_instance = encode(Hello{.instance = "short"});
  EXPECT_THAT(answer_to("alice", no_instance, "alice"), HasSubstr("instance"));
}

TEST_F(SessionTest, AHelloOfOtherVersionsOnlyIsRefusedByVersion) {
  const ByteBuffer future = encode(Hello{.instance = instance_of(1), .versions = {2, 3}});
  EXPECT_THAT(answer_to("alice", future, "alice"), StartsWith("refused version"));
  const ByteBuffer both = encode(Hello{.instance = instance_of(1), .versions = {2, 1}});
  EXPECT_THAT(answer_to("alice", both, "alice"), StartsWith("welcome"));
}

TEST_F(SessionTest, ABadIdentityIsToldOnceASecond) {
  const ConnectionId connection = world.connect_unnamed();
  world.send(connection, "x");
  world.send(connection, "y");
  world.settle();
  ASSERT_EQ(world.unread(connection), 1u);
  EXPECT_THAT(describe(world.receive(connection).front()),
              ElementsAre(StartsWith("refused bad-identity")));
  world.advance(kSecond);
  world.send(connection, "z");
  world.settle();
  EXPECT_EQ(world.unread(connection), 1u);
}

TEST_F(SessionTest, AStrangerIsAnsweredOnceASecondWhateverItSends) {
  FakePeer stranger(world, {.name = "alice"});
  stranger.connect();
  for (int i = 0; i < 100; ++i) {
    stranger.write_bytes("\xc1");
    stranger.say();
    world.send_multipart(stranger.connection());
    stranger.write_ack();
    stranger.say();
  }
  EXPECT_THAT(heard(stranger), ElementsAre(StartsWith("refused malformed")));
}

TEST_F(SessionTest, TheWindowIsWhatThePeerWantsAndTheBrokerAllows) {
  EXPECT_EQ(join(FakePeer::Options{.name = "alice", .window = 1000}).welcome().window_bytes, 1000u);
  EXPECT_EQ(join(FakePeer::Options{.name = "bob", .window = 1 << 30}).welcome().window_bytes,
            8u << 20);
  EXPECT_EQ(join("carol").welcome().window_bytes, 8u << 20);
}

TEST_F(SessionTest, FirstIdsAreAboveTheClockAndAboveEachOther) {
  world.set_wall(1'000'000);
  const std::uint64_t alice = join("alice").welcome().first_id;
  EXPECT_GE(alice, 1'000'000u);
  EXPECT_GT(join("bob").welcome().first_id, alice);
  world.set_wall(5);  // The clock was set back.
  EXPECT_GT(join("carol").welcome().first_id, alice);
}

TEST(IdTest, FirstIdsAreAboveWhatAnEarlierRunGave) {
  World world({}, {.name = "zpost", .run = std::string(32, 'e'), .id_floor = 1'000'000});
  world.set_wall(5);
  FakePeer alice(world, {.name = "alice"});
  alice.connect();
  alice.hello();
  world.settle();
  alice.read();
  EXPECT_GT(alice.welcome().first_id, 1'000'000u);
  EXPECT_GE(world.router().id_floor(), alice.welcome().first_id);
}

TEST_F(SessionTest, FirstIdsAreAboveEveryIdThatWasSeen) {
  world.set_wall(1000);
  FakePeer& alice = join("alice");
  join("bob");
  alice.write_raw({.to = "bob", .from = "alice", .id = 5'000'000});
  alice.say();
  world.settle();
  EXPECT_GE(world.router().id_floor(), 5'000'000u);
  alice.lose();
  world.advance(world.router().limits().resume_ns + kSecond);
  EXPECT_GT(join("alice").welcome().first_id, 5'000'000u);
}

TEST_F(SessionTest, AnIdFarAheadOfTheClockIsBadHoweverOftenItIsTried) {
  constexpr std::uint64_t kYear = std::uint64_t{1} << 55;
  FakePeer& alice = join(FakePeer::Options{.name = "alice", .honest = false});
  // Each within a year of the highest one that was seen.
  for (std::uint64_t i = 1; i <= 5; ++i) {
    alice.write_raw({.to = "bob", .from = "alice", .id = i * kYear});
    alice.say();
    world.settle();
  }
  alice.read();
  EXPECT_EQ(alice.told(Outcome::kBadId), 4u);
  EXPECT_LT(world.router().id_floor(), 2 * kYear);
}

TEST_F(SessionTest, AnInstanceThatComesBackHearsItsHighestId) {
  FakePeer& alice = join("alice");
  const std::uint64_t id = alice.send("nobody", "x");
  world.settle();
  alice.goodbye();
  come(alice);
  EXPECT_FALSE(alice.welcome().resumed);
  EXPECT_EQ(alice.welcome().highest_id, id);
}

TEST_F(SessionTest, AnInstanceIsRememberedUnderItsOwnNameOnly) {
  FakePeer& alice = join("alice");
  FakePeer& mallory = join(
      FakePeer::Options{.name = "mallory", .instance = alice.options().instance, .honest = false});
  mallory.write_raw({.to = "x", .from = "mallory", .id = std::uint64_t{1} << 40});
  mallory.say();
  mallory.goodbye();
  alice.goodbye();
  come(alice);
  EXPECT_EQ(alice.welcome().highest_id, 0u);
}

TEST_F(SessionTest, NoIdOfAnInstanceIsGoodOnceAnotherHadItsName) {
  FakePeer& alice = join("alice");
  alice.lose();
  world.settle();
  alice.write("bob", "a copy, never sent");
  world.advance(world.router().limits().resume_ns + kSecond);
  FakePeer& other = join(FakePeer::Options{.name = "alice", .instance = instance_of(7)});
  other.goodbye();
  world.settle();
  come(alice);
  EXPECT_GE(alice.welcome().highest_id, other.welcome().first_id);
  EXPECT_LT(alice.welcome().highest_id, alice.welcome().first_id);
  EXPECT_EQ(alice.copies().size(), 0u) << "it would be dropped as a repetition";
}

TEST_F(SessionTest, AHolderThatSaysHelloItselfRefusesTheNewcomer) {
  FakePeer& alice = join("alice");
  FakePeer other(world, {.name = "alice", .instance = instance_of(7)});
  other.connect();
  other.hello();
  EXPECT_THAT(heard(other), IsEmpty());
  come(alice);
  EXPECT_TRUE(alice.welcome().resumed);
  EXPECT_THAT(heard(other), ElementsAre(StartsWith("refused name-held")));
  world.advance(2 * kSecond);
  EXPECT_THAT(heard(alice), IsEmpty());
}

TEST_F(SessionTest, AHolderThatBeginsAnewKeepsItsNameToItself) {
  FakePeer& alice = join(FakePeer::Options{.name = "alice", .resume = false});
  FakePeer other(world, {.name = "alice", .instance = instance_of(7)});
  other.connect();
  other.hello();
  world.settle();
  come(alice);
  EXPECT_THAT(heard(other), ElementsAre(StartsWith("refused name-held")));
  EXPECT_EQ(world.router().sessions(), 1u);
}

TEST_F(SessionTest, AHolderIsAskedAgainIfItsPipeWasFull) {
  FakePeer& alice = join("alice");
  world.set_room(alice.connection(), 0);
  FakePeer other(world, {.name = "alice", .instance = instance_of(7)});
  other.connect();
  other.hello();
  world.settle();
  world.set_room(alice.connection(), World::kNoLimit);
  world.advance(3 * kMillisecond);
  EXPECT_THAT(heard(alice), Contains(StartsWith("ping")));  // Which it answers.
  EXPECT_THAT(heard(other), ElementsAre(StartsWith("refused name-held")));
}

TEST_F(SessionTest, ASecondNewcomerTakesTheFirstOnesPlace) {
  join("alice");
  FakePeer second(world, {.name = "alice", .instance = instance_of(7)});
  FakePeer third(world, {.name = "alice", .instance = instance_of(8)});
  second.connect();
  second.hello();
  world.settle();
  third.connect();
  third.hello();
  EXPECT_THAT(heard(second), ElementsAre(StartsWith("refused name-held")));
  world.advance(kSecond + kMillisecond);
  EXPECT_THAT(heard(third), ElementsAre(StartsWith("welcome")));
}

TEST_F(SessionTest, ANewcomerThatAsksAgainDoesNotWaitLonger) {
  join("alice");
  FakePeer other(world, {.name = "alice", .instance = instance_of(7)});
  other.connect();
  for (int i = 0; i < 3; ++i) {
    other.hello();
    world.advance(400 * kMillisecond);
  }
  EXPECT_THAT(heard(other), ElementsAre(StartsWith("welcome")));
}

TEST_F(SessionTest, AResumeWithCountsThatCannotBeBeginsAnew) {
  FakePeer& alice = join(FakePeer::Options{.name = "alice", .honest = false});
  const std::uint64_t epoch = alice.epoch();
  const ByteBuffer body = encode(Hello{.instance = alice.options().instance,
                                       .acks = true,
                                       .resume = true,
                                       .run = std::string(32, 'f'),
                                       .epoch = epoch,
                                       .taken = 1});
  alice.connect();
  alice.write_raw({.kind = Kind::kHello, .from = "alice", .body = body});
  alice.say();
  EXPECT_THAT(heard(alice), ElementsAre(StartsWith("welcome epoch=2")));
  EXPECT_FALSE(alice.welcome().resumed);
}

TEST_F(SessionTest, AResumeOfAnotherRunBeginsAnew) {
  FakePeer& alice = join("alice");
  const ByteBuffer body = encode(Hello{.instance = alice.options().instance,
                                       .resume = true,
                                       .run = std::string(32, 'a'),
                                       .epoch = alice.epoch()});
  alice.connect();
  alice.write_raw({.kind = Kind::kHello, .from = "alice", .body = body});
  alice.say();
  EXPECT_THAT(heard(alice), ElementsAre(StartsWith("welcome epoch=2")));
}

TEST_F(SessionTest, APeerWithoutAcksResumesWhateverItCounts) {
  FakePeer& alice = join(FakePeer::Options{.name = "alice", .acks = false});
  FakePeer& bob = join("bob");
  bob.send("alice", "1");
  world.settle();
  alice.lose();  // Without having read it.
  world.settle();
  bob.send("alice", "2");
  world.settle();
  come(alice);
  EXPECT_TRUE(alice.welcome().resumed);
  EXPECT_THAT(alice.bodies(), ElementsAre("2"));
}

TEST_F(SessionTest, ASenderFromAnEarlierRunMayBeBackBeforeItsRecipient) {
  FakePeer& alice = join(FakePeer::Options{.name = "alice", .earlier_run = std::string(32, 'a')});
  alice.send("bob", "1");
  alice.send("bob", "2");
  world.advance(5 * kSecond);
  EXPECT_EQ(world.router().sessions(), 1u);
  FakePeer& bob = join("bob");
  EXPECT_THAT(bob.bodies(), ElementsAre("1", "2"));
  bob.ack();
  world.advance(5 * kMillisecond);
  alice.read();
  EXPECT_EQ(alice.told(Outcome::kNoPeer), 0u);
}

TEST_F(SessionTest, ARecipientThatDoesNotComeBackIsNoPeerInTheEnd) {
  FakePeer& alice = join(FakePeer::Options{.name = "alice", .earlier_run = std::string(32, 'a')});
  alice.send("bob", "1");
  for (int i = 0; i < 8; ++i) {
    world.advance(5 * kSecond);
    alice.read();
  }
  EXPECT_EQ(alice.told(Outcome::kNoPeer), 1u);
  alice.send("bob", "2");
  world.settle();
  alice.read();
  EXPECT_EQ(alice.told(Outcome::kNoPeer), 2u) << "it is not expected for ever";
}

TEST_F(SessionTest, WhoCameBackAndLeftIsNotExpected) {
  FakePeer& alice = join(FakePeer::Options{.name = "alice", .earlier_run = std::string(32, 'a')});
  FakePeer& bob = join("bob");
  bob.goodbye();
  world.settle();
  alice.send("bob", "1");
  world.settle();
  alice.read();
  EXPECT_EQ(alice.told(Outcome::kNoPeer), 1u);
}

TEST_F(SessionTest, WhatAnInstanceOfAnEarlierRunKeptIsVoidOnceAnotherHadItsName) {
  FakePeer& other = join("alice");
  other.goodbye();
  world.settle();
  // Recipients would take its lower ids for repetitions of the other's.
  FakePeer& alice = join(FakePeer::Options{.name = "alice", .earlier_run = std::string(32, 'a')});
  EXPECT_GT(alice.welcome().highest_id, other.welcome().first_id);
  EXPECT_LE(alice.welcome().highest_id, alice.welcome().first_id);
}

TEST_F(SessionTest, OnlyASenderThatWasHereBeforeExpectsAnybody) {
  FakePeer& carol = join("carol");
  carol.send("bob", "1");
  world.settle();
  carol.read();
  EXPECT_EQ(carol.told(Outcome::kNoPeer), 1u);
}

TEST_F(SessionTest, TheNewSocketsWindowCounts) {
  FakePeer& alice = join(FakePeer::Options{.name = "alice", .window = 4000});
  FakePeer& bob = join("bob");
  auto options = alice.options();
  options.window = 200;
  alice.set_options(options);
  come(alice);
  EXPECT_EQ(alice.welcome().window_bytes, 200u);
  for (int i = 0; i < 5; ++i) {
    bob.send("alice", std::string(100, 'x'));
    world.settle();
  }
  alice.read();
  EXPECT_EQ(alice.bodies().size(), 1u);
}

TEST_F(SessionTest, ASlotThatIsTakenOverWithinATurnOwesNothingToItsFormerPeer) {
  FakePeer& bob = join_simple("bob");
  FakePeer& alice = join("alice");
  FakePeer carol(world, {.name = "carol", .instance = instance_of(9)});
  carol.connect();
  // All in one turn: a large frame goes to bob at once; he leaves; carol gets his slot, and mail.
  alice.send("bob", std::string(9000, 'x'));
  bob.goodbye();
  carol.hello();
  alice.send("carol", "for carol");
  heard(carol);
  EXPECT_THAT(carol.bodies(), ElementsAre("for carol"));
  EXPECT_EQ(world.router().accounting().held, 1u);
  EXPECT_EQ(world.router().accounting().unconfirmed, 0u);
}

TEST_F(SessionTest, WhoIsForgottenByTheShellIsAwayAndComesBack) {
  FakePeer& alice = join("alice");
  world.forget(alice.connection());
  FakePeer& bob = join("bob");  // On the same slot.
  bob.send("alice", "1");
  world.settle();
  EXPECT_THAT(heard(bob), IsEmpty());
  come(alice);
  EXPECT_THAT(alice.bodies(), ElementsAre("1"));
}

TEST_F(SessionTest, ASilentSimplePeerIsLeftInPeace) {
  FakePeer& alice = join_simple("alice");
  world.advance(1000 * kSecond);
  EXPECT_THAT(heard(alice), IsEmpty());
  EXPECT_EQ(world.router().sessions(), 1u);
}

TEST_F(SessionTest, APeerThatAnswersPingsStays) {
  FakePeer& alice = join("alice");
  for (int i = 0; i < 100; ++i) {
    world.advance(kSecond);
    alice.read();
  }
  EXPECT_EQ(world.router().sessions(), 1u);
  EXPECT_TRUE(alice.welcomed());
}

TEST_F(SessionTest, ATimeIsSetWheneverSomethingIsToBeDone) {
  EXPECT_EQ(world.router().next_deadline(), kNever);
  FakePeer& alice = join("alice");
  EXPECT_LT(world.router().next_deadline(), kNever);
  alice.goodbye();
  world.advance(kSecond);
  EXPECT_EQ(world.router().next_deadline(), kNever);
}

// ---- Receipts that were told long ago. SPEC.md, section 7
// -----------------------------------------------------

class OldReceiptTest : public SessionTest {
 protected:
  OldReceiptTest() : alice_(join("alice")) { join_simple("bob"); }

  /// Alice is heard of all the time; whether she reads as well is up to the test.
  void pass_two_minutes(bool reads) {
    for (int i = 0; i < 24; ++i) {
      world.advance(5 * kSecond);
      alice_.write_raw({.kind = Kind::kPing, .from = alice_.name()});
      alice_.say();
      if (reads) alice_.read();
    }
    world.settle();
  }

  void come_back() {
    alice_.lose();
    come(alice_);
    ASSERT_TRUE(alice_.welcome().resumed);
    alice_.read();
  }

  FakePeer& alice_;
};

TEST_F(OldReceiptTest, WhoSendsOnAndReadsNothingHearsItWhenItResumes) {
  alice_.send("bob", "1");
  pass_two_minutes(false);
  EXPECT_EQ(alice_.copies().size(), 1u);
  come_back();
  EXPECT_THAT(alice_.copies(), IsEmpty());
}

TEST_F(OldReceiptTest, ItIsForgottenOnceAPongSaysThatItWasRead) {
  alice_.send("bob", "1");
  world.settle();
  EXPECT_EQ(world.router().pairs(), 1u);
  pass_two_minutes(true);
  EXPECT_EQ(world.router().pairs(), 0u);
  come_back();
  EXPECT_THAT(alice_.copies(), IsEmpty());
}

TEST_F(OldReceiptTest, APongThatAnswersNoPingSaysNothing) {
  alice_.send("bob", "1");
  pass_two_minutes(false);
  for (const char* number : {"", "0", "999", "-1"}) {
    alice_.write_raw({.kind = Kind::kPong, .from = alice_.name(), .body = as_bytes(number)});
    alice_.say();
  }
  pass_two_minutes(false);
  EXPECT_EQ(world.router().pairs(), 1u);
}

TEST_F(OldReceiptTest, WhoDoesNotResumeNeedNotHaveReadIt) {
  FakePeer& carol = join(FakePeer::Options{.name = "carol", .resume = false, .pong = false});
  carol.send("bob", "1");
  world.settle();
  EXPECT_EQ(world.router().pairs(), 1u);
  world.advance(2 * 60 * kSecond);
  EXPECT_EQ(world.router().pairs(), 0u);
}

TEST_F(OldReceiptTest, SoManyThatNobodyReadsLeaveNoRoomForAnotherRecipient) {
  Limits limits;
  limits.credit_initial = 1 << 10;
  limits.memory = 1 << 20;  // A sixteenth of it holds 164 pairs.
  Meeting room(limits);
  FakePeer& alice = room.join("alice");
  const auto send_to = [&](int number) {
    room.join_simple("peer" + std::to_string(number));
    alice.send("peer" + std::to_string(number), "x");
    room.world.settle();
  };
  for (int i = 0; i < 164; ++i) {
    send_to(i);
    alice.read(World::kNoLimit, false);
  }
  const Accounting& counts = room.world.router().accounting();
  EXPECT_EQ(counts.failed, 0u);
  for (int i = 0; i < 24; ++i) {
    room.world.advance(5 * kSecond);
    alice.write_raw({.kind = Kind::kPing, .from = alice.name()});
    alice.say();
  }
  send_to(164);
  EXPECT_EQ(counts.failed, 1u);
  alice.read();
  room.world.advance(2 * kSecond);
  send_to(165);
  EXPECT_EQ(counts.failed, 1u);
}

}  // namespace
}  // namespace zpost::core::test
