// Requests until their replies, and calls through services. SPEC.md, section 17.
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
using testing::Not;
using testing::SizeIs;

class CallsTest : public testing::Test, public Meeting {
 protected:
  explicit CallsTest(const Limits& limits = {}) : Meeting(limits) {}

  FakePeer& worker(const std::string& name, std::uint64_t capacity = 1) {
    FakePeer& peer = join(name);
    offer(peer, capacity);
    return peer;
  }

  void offer(FakePeer& peer, std::uint64_t capacity = 1, const std::string& service = "sum") {
    peer.write_interest(Kind::kOffer, encode(Offer{service, capacity}), false);
    peer.say();
    world.settle();
  }

  std::uint64_t call(FakePeer& peer, const std::string& body, const Meta& meta = {}) {
    const std::uint64_t id = peer.send("sum", body, Kind::kCall, meta);
    world.settle();
    return id;
  }

  std::uint64_t request(FakePeer& peer, const std::string& to, const Meta& meta = {}) {
    const std::uint64_t id = peer.send(to, "?", Kind::kRequest, meta);
    world.settle();
    return id;
  }

  void reply(FakePeer& peer, const std::string& to, std::uint64_t id, const std::string& body,
             bool more = false) {
    Meta meta;
    meta.in_reply_to = id;
    meta.more = more;
    peer.send(to, body, Kind::kReply, meta);
    world.settle();
  }

  /// Reads, takes and acknowledges; the lines that were about requests, calls and replies.
  std::vector<std::string> works(FakePeer& peer) {
    std::vector<std::string> lines;
    for (std::string& line : heard(peer)) {
      const bool about = line.starts_with("call") || line.starts_with("reply") ||
                         line.starts_with("request") || line.starts_with("outcome") ||
                         line.starts_with("cancel");
      if (about) lines.push_back(std::move(line));
    }
    peer.take();
    if (peer.welcomed()) peer.ack();
    world.settle();
    return lines;
  }

  /// It vanishes, and its time to come back passes.
  void vanish(FakePeer& peer) {
    peer.lose();
    world.advance(world.router().limits().resume_ns + kSecond);
  }

  /// The others stay meanwhile.
  static Limits quick() {
    Limits limits;
    limits.resume_ns = 2 * kSecond;
    return limits;
  }
};

// ---- Services

TEST_F(CallsTest, ACallGoesToTheLeastBusyWorkerAndItsReplyToTheCaller) {
  FakePeer& w1 = worker("w1", 2);
  FakePeer& w2 = worker("w2", 2);
  FakePeer& alice = join("alice");
  const std::uint64_t first = call(alice, "1");
  call(alice, "2");
  call(alice, "3");
  EXPECT_THAT(works(w1), SizeIs(2));
  EXPECT_THAT(works(w2), ElementsAre(HasSubstr("for sum \"2\"")));
  reply(w1, "alice", first, "one");
  EXPECT_THAT(works(alice),
              Contains(HasSubstr("from w1 to #" + std::to_string(first) + " \"one\"")));
}

TEST_F(CallsTest, WhatComesAtOnceGoesToOneWorkerWhileItIsHardlyBusier) {
  FakePeer& w1 = worker("w1", 64);
  FakePeer& w2 = worker("w2", 64);
  FakePeer& alice = join("alice");
  const auto call_at_once = [&](int count) {
    for (int i = 0; i < count; ++i) alice.send("sum", "x", Kind::kCall);
    world.settle();
  };
  call_at_once(2);  // A thirty-second of what it takes.
  EXPECT_THAT(works(w1), SizeIs(2));
  EXPECT_THAT(works(w2), SizeIs(0));
  call_at_once(4);
  EXPECT_THAT(works(w1), SizeIs(0));
  EXPECT_THAT(works(w2), ElementsAre(HasSubstr("(4 x 1 bytes)")));
  call_at_once(8);
  EXPECT_THAT(works(w1), ElementsAre(HasSubstr("(4 x 1 bytes)")));
  EXPECT_THAT(works(w2), ElementsAre(HasSubstr("(4 x 1 bytes)")));
}

TEST_F(CallsTest, WhenAllAreBusyCallsWaitInTurnAmongCallers) {
  FakePeer& w1 = worker("w1", 1);
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  const std::uint64_t a1 = call(alice, "a1");
  call(alice, "a2");
  const std::uint64_t a3 = call(alice, "a3");
  const std::uint64_t b1 = call(bob, "b1");
  EXPECT_EQ(world.router().waiting_calls(), 3U);
  EXPECT_THAT(works(w1), ElementsAre(HasSubstr("a1")));
  reply(w1, "alice", a1, "");
  EXPECT_THAT(works(w1), ElementsAre(HasSubstr("a2")));
  reply(w1, "alice", a1 + 1, "");
  EXPECT_THAT(works(w1), ElementsAre(HasSubstr("b1")));
  reply(w1, "bob", b1, "");
  EXPECT_THAT(works(w1), ElementsAre(HasSubstr("a3")));
  reply(w1, "alice", a3, "");
  catch_up();
  EXPECT_EQ(alice.told(Outcome::kDelivered), 3U);
  EXPECT_EQ(world.router().accounting().held, 0U);
}

TEST_F(CallsTest, ACallBehindAReplyInItsFrameDoesNotPassThoseThatWait) {
  FakePeer& carl = worker("carl");
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  Meta meta;
  meta.in_reply_to = call(alice, "1");
  call(bob, "2");
  EXPECT_THAT(works(carl), ElementsAre(HasSubstr("for sum \"1\"")));
  carl.write("alice", "one", Kind::kReply, meta);  // His place is free from here on.
  carl.write("sum", "3", Kind::kCall);
  carl.say();
  world.settle();
  EXPECT_THAT(works(carl), ElementsAre(HasSubstr("for sum \"2\"")));
}

TEST_F(CallsTest, AServiceNobodyOffersSaysSo) {
  FakePeer& alice = join("alice");
  call(alice, "x");
  EXPECT_THAT(works(alice), ElementsAre(HasSubstr("no-worker (@sum)")));
}

TEST_F(CallsTest, WhatAVanishedWorkerHadNotTakenGoesToAnotherMarkedAgain) {
  Meeting room(quick());
  FakePeer& alice = room.join("alice");
  FakePeer& w1 = room.join("w1");
  for (FakePeer* each : {&w1}) {
    each->write_interest(Kind::kOffer, encode(Offer{"sum", 5}), false);
    each->say();
  }
  room.world.settle();
  alice.send("sum", "1", Kind::kCall);
  room.world.settle();
  FakePeer& w2 = room.join("w2");
  w2.write_interest(Kind::kOffer, encode(Offer{"sum", 5}), false);
  w2.say();
  w1.lose();
  room.world.advance(3 * kSecond);
  EXPECT_THAT(room.heard(w2), Contains(HasSubstr("for sum again=2 \"1\"")));
  room.catch_up();
  EXPECT_EQ(alice.told(Outcome::kLost), 0U);
  EXPECT_EQ(alice.told(Outcome::kDelivered), 1U);
}

TEST_F(CallsTest, WhatAVanishedWorkerHadTakenIsLostUnlessItIsIdempotent) {
  FakePeer& w1 = worker("w1", 5);
  FakePeer& alice = join("alice");
  call(alice, "once");
  call(alice, "any number", {.idempotent = true});
  EXPECT_THAT(works(w1), SizeIs(2));
  world.advance(3 * kMillisecond);
  alice.keep_up();
  EXPECT_EQ(alice.told(Outcome::kDelivered), 2U) << "both were taken";
  FakePeer& w2 = worker("w2", 5);
  w1.goodbye();
  EXPECT_THAT(works(w2), ElementsAre(HasSubstr("again=2 \"any number\"")));
  const auto lines = heard(alice);
  EXPECT_THAT(lines, Contains(HasSubstr("lost")));
  EXPECT_EQ(world.router().accounting().exchanges_failed, 1U);
}

TEST_F(CallsTest, CallsWaitForAWorkerThatIsBackSoonAndFailWhenNoneComes) {
  Meeting room(quick());
  FakePeer& w1 = room.join("w1");
  w1.write_interest(Kind::kOffer, encode(Offer{"sum", 1}), false);
  w1.say();
  FakePeer& alice = room.join("alice");
  alice.send("sum", "1", Kind::kCall);
  alice.send("sum", "2", Kind::kCall);
  room.world.settle();
  w1.goodbye();
  room.world.advance(kSecond);
  EXPECT_EQ(room.world.router().waiting_calls(), 2U);
  FakePeer& w2 = room.join("w2");
  w2.write_interest(Kind::kOffer, encode(Offer{"sum", 1}), false);
  w2.say();
  EXPECT_THAT(room.heard(w2), Contains(HasSubstr("\"1\"")));
  w2.goodbye();
  room.world.advance(4 * kSecond);
  room.catch_up();
  EXPECT_EQ(alice.told(Outcome::kNoWorker), 2U);
  EXPECT_EQ(room.world.router().waiting_calls(), 0U);
}

TEST_F(CallsTest, ServiceQueuesAndCallsInFlightHaveLimits) {
  Limits limits;
  limits.service_queue = 2;
  limits.calls = 4;
  Meeting room(limits);
  FakePeer& w1 = room.join("w1");
  w1.write_interest(Kind::kOffer, encode(Offer{"sum", 1}), false);
  w1.say();
  FakePeer& alice = room.join("alice");
  FakePeer& bob = room.join("bob");
  for (int i = 0; i < 4; ++i) alice.send("sum", "x", Kind::kCall);
  for (int i = 0; i < 5; ++i) bob.send("alice", "x", Kind::kRequest);
  room.catch_up();
  EXPECT_EQ(alice.told(Outcome::kFull), 1U);
  EXPECT_EQ(bob.told(Outcome::kFull), 1U);
}

TEST_F(CallsTest, CallsInFlightHaveALimitInAll) {
  Limits limits;
  limits.all_calls = 3;
  Meeting room(limits);
  FakePeer& alice = room.join("alice");
  FakePeer& bob = room.join("bob");
  for (int i = 0; i < 2; ++i) alice.send("bob", "x", Kind::kRequest);
  room.catch_up();
  for (int i = 0; i < 2; ++i) bob.send("alice", "x", Kind::kRequest);
  room.catch_up();
  EXPECT_EQ(alice.told(Outcome::kFull), 0U);
  EXPECT_EQ(bob.told(Outcome::kFull), 1U);
}

TEST_F(CallsTest, OffersHaveALimitPerPeerAndInAll) {
  Limits limits;
  limits.offers = 2;
  limits.all_offers = 3;
  Meeting room(limits);
  FakePeer& w1 = room.join("w1");
  FakePeer& w2 = room.join("w2");
  const auto offers = [&](FakePeer& peer, const std::string& service) {
    const std::uint64_t id = peer.write_interest(Kind::kOffer, encode(Offer{service, 1}));
    peer.say();
    room.catch_up();
    return peer.answer(id);
  };
  EXPECT_EQ(offers(w1, "cut"), Outcome::kDelivered);
  EXPECT_EQ(offers(w1, "weld"), Outcome::kDelivered);
  EXPECT_EQ(offers(w1, "sum"), Outcome::kFull) << "limits.offers";
  EXPECT_EQ(offers(w2, "cut"), Outcome::kDelivered);
  EXPECT_EQ(offers(w2, "weld"), Outcome::kFull) << "limits.all_offers";
  w1.write_interest(Kind::kWithdraw, encode(Name{"weld"}), false);
  w1.say();
  room.catch_up();
  EXPECT_EQ(offers(w2, "weld"), Outcome::kDelivered);
  w2.goodbye();
  room.catch_up();
  EXPECT_EQ(offers(w1, "sum"), Outcome::kDelivered);
}

TEST_F(CallsTest, AWorkerThatWithdrawsKeepsWhatItHas) {
  FakePeer& w1 = worker("w1", 1);
  FakePeer& alice = join("alice");
  const std::uint64_t id = call(alice, "x");
  w1.write_interest(Kind::kWithdraw, encode(Name{"sum"}), false);
  w1.say();
  world.settle();
  EXPECT_THAT(works(w1), SizeIs(1));
  reply(w1, "alice", id, "done");
  EXPECT_THAT(works(alice), Contains(HasSubstr("\"done\"")));
  call(alice, "y");
  EXPECT_THAT(works(alice), Contains(HasSubstr("no-worker")));
}

TEST_F(CallsTest, WhoOffersAgainWhatItWithdrewHasNoRoomForMoreThanItsCapacity) {
  FakePeer& w1 = worker("w1", 1);
  FakePeer& alice = join("alice");
  const std::uint64_t first = call(alice, "x");
  w1.write_interest(Kind::kWithdraw, encode(Name{"sum"}), false);
  w1.write_interest(Kind::kOffer, encode(Offer{"sum", 1}), false);
  w1.say();
  EXPECT_THAT(works(w1), SizeIs(1));
  const std::uint64_t second = call(alice, "y");
  EXPECT_THAT(works(w1), IsEmpty()) << "it has the first one still";
  reply(w1, "alice", first, "1");
  EXPECT_THAT(works(w1), Contains(HasSubstr("\"y\"")));
  reply(w1, "alice", second, "2");
  call(alice, "z");
  EXPECT_THAT(works(w1), Contains(HasSubstr("\"z\""))) << "its place is free again";
}

TEST_F(CallsTest, AReplyInPartsKeepsThePlaceUntilTheLast) {
  FakePeer& w1 = worker("w1", 1);
  FakePeer& alice = join("alice");
  const std::uint64_t id = call(alice, "x");
  call(alice, "y");
  EXPECT_THAT(works(w1), SizeIs(1));
  reply(w1, "alice", id, "1", true);
  reply(w1, "alice", id, "2", true);
  EXPECT_THAT(works(w1), Not(Contains(HasSubstr("\"y\""))));
  reply(w1, "alice", id, "3");
  EXPECT_THAT(works(w1), Contains(HasSubstr("\"y\"")));
  EXPECT_THAT(works(alice),
              ElementsAre(HasSubstr("more \"1\""), HasSubstr("more \"2\""), HasSubstr("\"3\"")));
}

// ---- Ends of requests

TEST_F(CallsTest, ARequestTakenByAPeerThatLeavesFailsAtOnce) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  request(alice, "bob");
  EXPECT_THAT(works(bob), SizeIs(1));
  bob.goodbye();
  EXPECT_THAT(works(alice), ElementsAre(HasSubstr("lost")));
}

TEST_F(CallsTest, ARequestNotTakenByAPeerThatLeavesFailsOnce) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  request(alice, "bob");
  bob.goodbye();
  EXPECT_THAT(works(alice), ElementsAre(HasSubstr("lost (bob)")));
  catch_up();
  EXPECT_EQ(world.router().accounting().exchanges_failed, 0U);
}

TEST_F(CallsTest, ARequestThatEndedBeforeItWasTakenHasNoSecondOutcome) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  request(alice, "bob", {.deadline_ns = world.clock() + kSecond});
  const std::uint64_t answered = request(alice, "bob");
  world.advance(kSecond + kMillisecond);
  EXPECT_THAT(works(alice), ElementsAre(HasSubstr("expired")));
  reply(bob, "alice", answered, "at once");
  EXPECT_THAT(works(alice), ElementsAre(HasSubstr("at once")));
  bob.goodbye();  // Without having said that it took them.
  EXPECT_THAT(works(alice), IsEmpty());
  catch_up();
  EXPECT_EQ(alice.unsettled(), 0U) << "their credit is back all the same";
}

TEST_F(CallsTest, ADeadlineEndsARequestAndTellsWhoHasIt) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  const std::uint64_t id = request(alice, "bob", {.deadline_ns = world.clock() + kSecond});
  EXPECT_THAT(works(bob), SizeIs(1));
  world.advance(kSecond + kMillisecond);
  EXPECT_THAT(works(alice), ElementsAre(HasSubstr("expired")));
  EXPECT_THAT(works(bob), ElementsAre("cancel #" + std::to_string(id) + " from alice"));
  reply(bob, "alice", id, "too late");
  EXPECT_THAT(works(alice), Contains(HasSubstr("too late"))) << "the requester's to ignore";
  EXPECT_EQ(world.router().accounting().late_replies, 1U);
}

TEST_F(CallsTest, ADeadlineThatHasPassedFailsAtOnceWhateverTheWallClockSays) {
  FakePeer& alice = join("alice");
  join("bob");
  world.set_wall(world.clock() * 2);
  request(alice, "bob", {.deadline_ns = world.clock() - 1});
  request(alice, "bob", {.deadline_ns = world.clock() + kSecond});
  EXPECT_THAT(works(alice), ElementsAre(HasSubstr("expired (bob)")));
}

TEST_F(CallsTest, ACallThatWaitsExpires) {
  worker("w1", 1);
  FakePeer& alice = join("alice");
  call(alice, "x");
  call(alice, "y", {.deadline_ns = world.clock() + kSecond});
  call(alice, "z");
  world.advance(kSecond + kMillisecond);
  EXPECT_THAT(works(alice), ElementsAre(HasSubstr("expired (@sum)")));
  EXPECT_EQ(world.router().waiting_calls(), 1U);
  EXPECT_EQ(world.router().accounting().held, 2U);
}

TEST_F(CallsTest, ACancelSettlesWhatWaitsAndWhatIsUnderWay) {
  FakePeer& w1 = worker("w1", 1);
  FakePeer& alice = join("alice");
  const std::uint64_t first = call(alice, "x");
  const std::uint64_t second = call(alice, "y");
  EXPECT_THAT(works(w1), SizeIs(1));
  for (const std::uint64_t id : {second, first, first, first + 77}) {
    alice.write_raw({.kind = Kind::kCancel, .from = "alice", .id = id});
  }
  alice.say();
  EXPECT_THAT(works(alice), ElementsAre(HasSubstr("cancelled (@sum)"), HasSubstr("cancelled")));
  EXPECT_THAT(works(w1), ElementsAre(HasSubstr("cancel #")));
  call(alice, "z");
  EXPECT_THAT(works(w1), ElementsAre(HasSubstr("\"z\""))) << "its place is free";
}

TEST_F(CallsTest, WhoLeavesWithOpenCallsLeavesNothingBehind) {
  FakePeer& w1 = worker("w1", 1);
  FakePeer& alice = join("alice");
  call(alice, "x");
  call(alice, "y");
  alice.goodbye();
  world.settle();
  EXPECT_THAT(works(w1), ElementsAre(HasSubstr("\"x\""), HasSubstr("cancel")));
  catch_up();
  EXPECT_EQ(world.router().accounting().held, 0U);
  EXPECT_EQ(world.router().pairs(), 0U);
  EXPECT_EQ(world.router().waiting_calls(), 0U);
}

TEST_F(CallsTest, AReplyThatFailsEndsTheRequest) {
  Limits limits;
  limits.max_envelope = 2000;
  Meeting room(limits);
  FakePeer& alice = room.join("alice");
  FakePeer& bob = room.join("bob");
  const std::uint64_t id = alice.send("bob", "?", Kind::kRequest);
  room.world.settle();
  bob.keep_up();
  Meta meta;
  meta.in_reply_to = id;
  bob.send("alice", std::string(3000, 'x'), Kind::kReply, meta);
  EXPECT_THAT(room.heard(alice), Contains(HasSubstr("no-reply")));
}

TEST_F(CallsTest, SomebodyElsesReplyEndsNothing) {
  FakePeer& alice = join(FakePeer::Options{.name = "alice", .honest = false});
  FakePeer& bob = join("bob");
  FakePeer& carol = join("carol");
  const std::uint64_t id = request(alice, "bob");
  reply(carol, "alice", id, "not mine to give");
  EXPECT_EQ(world.router().accounting().late_replies, 1U);
  works(bob);
  bob.goodbye();
  EXPECT_THAT(works(alice), Contains(HasSubstr("lost")));
}

TEST_F(CallsTest, ReceiptsOfCallsGoByTheOldestThatIsNotTaken) {
  FakePeer& w1 = worker("w1", 1);
  FakePeer& w2 = worker("w2", 1);
  FakePeer& alice = join("alice");
  call(alice, "1");
  call(alice, "2");
  works(w2);
  world.advance(3 * kMillisecond);
  alice.read();
  EXPECT_EQ(alice.told(Outcome::kDelivered), 0U);
  works(w1);
  world.advance(3 * kMillisecond);
  alice.read();
  EXPECT_EQ(alice.told(Outcome::kDelivered), 2U);
}

}  // namespace
}  // namespace zpost::core::test
