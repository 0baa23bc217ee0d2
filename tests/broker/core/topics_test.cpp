// Topics: who gets what, retained values, and what becomes of slow subscribers. SPEC.md,
// section 16.
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
using testing::SizeIs;

Limits small_queue(std::uint64_t bytes) {
  Limits limits;
  limits.topic_queue = bytes;
  limits.credit_initial = 1 << 20;
  return limits;
}

class TopicsTest : public testing::Test, public Meeting {
 protected:
  explicit TopicsTest(const Limits& limits = {}) : Meeting(limits) {}

  Outcome subscribe(FakePeer& peer, const std::string& pattern,
                    SlowPolicy policy = SlowPolicy::kDropOldest, bool not_own = false) {
    const std::uint64_t id =
        peer.write_interest(Kind::kSubscribe, encode(Subscribe{pattern, policy, not_own}));
    peer.say();
    world.settle();
    peer.keep_up();
    world.settle();
    return peer.answer(id);
  }

  std::uint64_t publish(FakePeer& peer, const std::string& topic, const std::string& body,
                        const Meta& meta = {}) {
    const std::uint64_t id = peer.send(topic, body, Kind::kPublish, meta);
    world.settle();
    return id;
  }

  /// What the peer read since, by body; gaps as "gap N".
  std::vector<std::string> news(FakePeer& peer) {
    std::vector<std::string> lines;
    for (const std::string& line : heard(peer)) {
      if (line.starts_with("publish") || line.starts_with("gap")) lines.push_back(line);
    }
    return lines;
  }
};

TEST_F(TopicsTest, EverySubscriberWhosePatternMatchesGetsOneCopy) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  FakePeer& carol = join("carol");
  FakePeer& dave = join("dave");
  EXPECT_EQ(subscribe(bob, "lab/oven"), Outcome::kDelivered);
  EXPECT_EQ(subscribe(bob, "lab/*"), Outcome::kDelivered);
  EXPECT_EQ(subscribe(carol, "**"), Outcome::kDelivered);
  EXPECT_EQ(subscribe(dave, "lab/*/door"), Outcome::kDelivered);
  publish(alice, "lab/oven", "hot");
  publish(alice, "lab/oven/door", "open");
  EXPECT_THAT(news(bob), ElementsAre(HasSubstr("in lab/oven \"hot\"")));
  EXPECT_THAT(news(carol), ElementsAre(HasSubstr("\"hot\""), HasSubstr("\"open\"")));
  EXPECT_THAT(news(dave), ElementsAre(HasSubstr("\"open\"")));
  EXPECT_EQ(world.router().accounting().copies, 2U);
}

TEST_F(TopicsTest, TopicsThatDifferInTheMiddleOnlyAreNotMistakenForEachOther) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  FakePeer& carol = join("carol");
  subscribe(bob, "building/1/temperature");
  subscribe(carol, "building/2/temperature");
  for (int round = 0; round < 2; ++round) {
    publish(alice, "building/1/temperature", "cold");
    publish(alice, "building/2/temperature", "warm");
  }
  EXPECT_THAT(news(bob), ElementsAre(HasSubstr("\"cold\""), HasSubstr("\"cold\"")));
  EXPECT_THAT(news(carol), ElementsAre(HasSubstr("\"warm\""), HasSubstr("\"warm\"")));
}

TEST_F(TopicsTest, APublishIsSettledBeforeAnybodyTookIt) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  (void)subscribe(bob, "news");
  publish(alice, "news", "one");
  EXPECT_THAT(heard(alice), Contains(HasSubstr("receipt **:#")));
  EXPECT_EQ(alice.told(Outcome::kDelivered), 1U);
  EXPECT_EQ(world.router().accounting().held, 1U);
}

TEST_F(TopicsTest, APeerMayExcludeItsOwn) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  (void)subscribe(alice, "room", SlowPolicy::kDropOldest, true);
  (void)subscribe(bob, "room");
  publish(alice, "room", "from alice");
  publish(bob, "room", "from bob");
  EXPECT_THAT(news(alice), ElementsAre(HasSubstr("from bob")));
  EXPECT_THAT(news(bob), SizeIs(2));
  // Another pattern that wants them lets them in.
  (void)subscribe(alice, "*");
  publish(alice, "room", "again");
  EXPECT_THAT(news(alice), ElementsAre(HasSubstr("again")));
}

TEST_F(TopicsTest, NobodyGetsItIsAFailureOnlyIfWanted) {
  FakePeer& alice = join("alice");
  publish(alice, "news", "unheard");
  publish(alice, "news", "unheard", {.wanted = kWantSubscriber});
  catch_up();
  EXPECT_EQ(alice.told(Outcome::kDelivered), 1U);
  EXPECT_EQ(alice.told(Outcome::kNoSubscriber), 1U);
  EXPECT_EQ(world.router().accounting().failed, 2U);
}

TEST_F(TopicsTest, TheCountOfQueuesIsToldWhenWanted) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  FakePeer& carol = join("carol");
  (void)subscribe(bob, "news");
  (void)subscribe(carol, "news");
  (void)subscribe(alice, "news", SlowPolicy::kDropOldest, true);
  publish(alice, "news", "one", {.wanted = kWantCount});
  EXPECT_THAT(heard(alice), Contains(HasSubstr("delivered (**) count=2")));
  catch_up();
  EXPECT_EQ(alice.unsettled(), 0U);
  EXPECT_EQ(world.router().accounting().failed, 0U);
}

TEST_F(TopicsTest, WrongTopicsAndPatternsAreRefusedByName) {
  FakePeer& alice = join(FakePeer::Options{.name = "alice", .honest = false});
  for (const std::string topic : {"", "/", "a//b", "a/*", "**", "a b", ".a"}) {
    publish(alice, topic, "x");
  }
  catch_up();
  EXPECT_EQ(alice.told(Outcome::kBadName), 7U);
  EXPECT_EQ(subscribe(alice, "a/**/b"), Outcome::kMalformed);
  EXPECT_EQ(subscribe(alice, "a/b*"), Outcome::kMalformed);
}

TEST_F(TopicsTest, WhoUnsubscribesGetsNoMore) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  (void)subscribe(bob, "news");
  // Within one frame, before and after.
  const ByteBuffer name = encode(Name{"news"});
  publish(alice, "news", "one");
  bob.write_interest(Kind::kUnsubscribe, name, false);
  bob.say();
  publish(alice, "news", "two");
  EXPECT_THAT(news(bob), ElementsAre(HasSubstr("one")));
}

TEST_F(TopicsTest, InOneFrameASubscriptionHoldsFromWhereItStands) {
  FakePeer& alice = join("alice");
  alice.write("news", "before", Kind::kPublish);
  alice.write_interest(Kind::kSubscribe, encode(Subscribe{"news"}), false);
  alice.write("news", "after", Kind::kPublish);
  alice.write("news", "after that", Kind::kPublish);
  alice.write_interest(Kind::kUnsubscribe, encode(Name{"news"}), false);
  alice.write("news", "too late", Kind::kPublish);
  alice.say();
  EXPECT_THAT(news(alice), ElementsAre(HasSubstr("\"after\""), HasSubstr("after that")));
}

TEST_F(TopicsTest, ALargeFrameGoesToAllByReference) {
  Meeting room(small_queue(8 << 20));
  FakePeer& alice = room.join("alice");
  FakePeer& bob = room.join("bob");
  FakePeer& carol = room.join("carol");
  for (FakePeer* each : {&bob, &carol}) {
    each->write_interest(Kind::kSubscribe, encode(Subscribe{"**"}), false);
    each->say();
  }
  for (int i = 0; i < 200; ++i) {
    alice.write(i % 2 == 0 ? "a/b" : "a/c", std::string(64, 'x'), Kind::kPublish);
  }
  const std::string frame = alice.draft();
  alice.say();
  room.world.settle();
  EXPECT_EQ(room.world.whole_frames(), 2U);
  EXPECT_THAT(bob.read(), ElementsAre(frame));
  EXPECT_THAT(carol.read(), ElementsAre(frame));
}

// ---- Retained values

TEST_F(TopicsTest, ALateSubscriberGetsTheRetainedValueFirst) {
  FakePeer& alice = join("alice");
  publish(alice, "lab/oven", "20", {.retain = true});
  publish(alice, "lab/oven", "25", {.retain = true});
  publish(alice, "lab/door", "open", {.retain = true});
  publish(alice, "other", "x", {.retain = true});
  FakePeer& bob = join("bob");
  bob.write_interest(Kind::kSubscribe, encode(Subscribe{"lab/*"}), false);
  bob.say();
  publish(alice, "lab/oven", "30");
  EXPECT_THAT(news(bob), ElementsAre(HasSubstr("in lab/door retained \"open\""),
                                     HasSubstr("in lab/oven retained \"25\""),
                                     HasSubstr("in lab/oven \"30\"")));
}

TEST_F(TopicsTest, AnEmptyBodyClearsTheRetainedValue) {
  FakePeer& alice = join("alice");
  publish(alice, "lab/oven", "20", {.retain = true});
  publish(alice, "lab/oven", "", {.retain = true});
  FakePeer& bob = join("bob");
  (void)subscribe(bob, "**");
  EXPECT_THAT(news(bob), IsEmpty());
}

TEST_F(TopicsTest, RetainedValuesHaveALimitThatRefusesByName) {
  Limits limits;
  limits.retained = 1;
  Meeting room(limits);
  FakePeer& alice = room.join("alice");
  for (const std::string topic : {"a", "b", "a"}) {
    alice.send(topic, "1", Kind::kPublish, {.retain = true});
  }
  room.catch_up();
  EXPECT_EQ(alice.told(Outcome::kFull), 1U);
  EXPECT_EQ(alice.told(Outcome::kDelivered), 2U);
}

// ---- Slow subscribers

class SlowSubscriberTest : public TopicsTest {
 protected:
  SlowSubscriberTest() : TopicsTest(small_queue(10'000)) {}

  FakePeer& slow(SlowPolicy policy) {
    FakePeer& bob = join(FakePeer::Options{.name = "bob", .window = 1000});
    (void)subscribe(bob, "**", policy);
    return bob;
  }

  void publish_many(FakePeer& peer, int count) {
    for (int i = 0; i < count; ++i)
      publish(peer, "news", std::to_string(i) + std::string(970, '.'));
  }
};

TEST_F(SlowSubscriberTest, TheOldestAreDroppedAndToldAsAGap) {
  FakePeer& alice = join("alice");
  FakePeer& bob = slow(SlowPolicy::kDropOldest);
  publish_many(alice, 30);
  EXPECT_EQ(alice.told(Outcome::kDelivered), 0U);
  catch_up();
  EXPECT_EQ(alice.told(Outcome::kDelivered), 30U);
  std::uint64_t gaps = 0;
  for (int i = 0; i < 40; ++i) catch_up();
  const Accounting& counts = world.router().accounting();
  const auto dropped = counts.failed_by[static_cast<std::size_t>(Outcome::kDropped)];
  EXPECT_GT(dropped, 15U);
  EXPECT_EQ(counts.delivered + dropped, 30U);
  for (const auto& entry : bob.entries()) {
    if (entry.kind() == Kind::kGap) gaps += decode_gap(entry.body)->count;
  }
  EXPECT_EQ(gaps, dropped);
}

TEST_F(SlowSubscriberTest, ABlockedSubscriberHoldsItsPublishersCredit) {
  FakePeer& alice = join("alice");
  FakePeer& bob = slow(SlowPolicy::kBlock);
  publish_many(alice, 30);
  world.advance(3 * kMillisecond);  // Receipts wait a little for company.
  alice.read();
  const std::uint64_t settled = alice.told(Outcome::kDelivered);
  EXPECT_GE(settled, 9U);
  EXPECT_LE(settled, 12U);
  EXPECT_GT(alice.unsettled(), 0U);
  for (int i = 0; i < 40; ++i) catch_up();
  EXPECT_EQ(alice.told(Outcome::kDelivered), 30U);
  EXPECT_EQ(bob.bodies().size(), 30U);
  EXPECT_EQ(world.router().accounting().failed, 0U);
}

TEST_F(SlowSubscriberTest, WhenABlockedSubscriberLeavesItsPublishersGoOn) {
  FakePeer& alice = join("alice");
  FakePeer& bob = slow(SlowPolicy::kBlock);
  publish_many(alice, 30);
  bob.goodbye();
  for (int i = 0; i < 3; ++i) catch_up();
  EXPECT_EQ(alice.told(Outcome::kDelivered), 30U);
  EXPECT_EQ(world.router().accounting().held, 0U);
}

TEST_F(SlowSubscriberTest, APublisherMayLeaveWhileItIsHeldUp) {
  FakePeer& alice = join("alice");
  FakePeer& bob = slow(SlowPolicy::kBlock);
  publish_many(alice, 30);
  alice.goodbye();
  for (int i = 0; i < 40; ++i) catch_up();
  EXPECT_EQ(bob.bodies().size(), 30U);
  EXPECT_EQ(world.router().pairs(), 0U);
}

class BlockingAudienceTest : public TopicsTest {
 protected:
  static constexpr std::uint64_t kMany = 8;

  BlockingAudienceTest() : TopicsTest(little_memory()) {
    for (std::uint64_t i = 0; i < kMany; ++i) {
      FakePeer& each =
          join(FakePeer::Options{.name = "sub-" + std::to_string(i), .window = 16'000});
      (void)subscribe(each, "news", SlowPolicy::kBlock);
    }
  }

  static Limits little_memory() {
    Limits limits;
    limits.memory = 16 << 20;
    return limits;
  }

  /// As long as alice may, while nobody else reads.
  std::uint64_t publish_all_she_may(std::uint64_t most) {
    std::uint64_t count = 0;
    for (int idle = 0; idle < 20 && count < most; ++idle) {
      for (; alice.may_send("**", 1100) && count < most; ++count, idle = 0)
        publish(alice, "news", std::to_string(count) + std::string(970, '.'));
      world.advance(3 * kMillisecond);
      alice.read();
    }
    return count;
  }

  FakePeer& alice = join("alice");
};

TEST_F(BlockingAudienceTest, ItsPublisherWaitsBeforeCopiesOfAllFillTheMemory) {
  constexpr std::uint64_t kAll = 5000;
  const std::uint64_t at_once = publish_all_she_may(kAll);
  EXPECT_GT(at_once, 700U);
  EXPECT_LT(at_once, 1900U);
  for (std::uint64_t count = at_once; count < kAll;) {
    catch_up();
    count += publish_all_she_may(kAll - count);
  }
  for (int i = 0; i < 200; ++i) catch_up();
  const Accounting& counts = world.router().accounting();
  EXPECT_EQ(counts.failed, 0U);
  EXPECT_EQ(counts.held, 0U);
  EXPECT_EQ(alice.told(Outcome::kDelivered), kAll);
}

TEST_F(BlockingAudienceTest, ItsPublisherHasLessCreditUntilItSendsToOthers) {
  const Limits& limits = world.router().limits();
  const auto send_much = [&](const std::string& to, Kind kind) {
    for (int round = 0; round < 300; ++round) {
      for (int i = 0; i < 200 && alice.may_send(kind == Kind::kPublish ? "**" : to, 1100); ++i)
        alice.send(to, std::string(970, '.'), kind);
      catch_up();
    }
    return alice.credit() - alice.sent_cost();
  };
  EXPECT_LE(send_much("news", Kind::kPublish), limits.blocking_credit(kMany));
  (void)join("bob");
  EXPECT_GT(send_much("bob", Kind::kSend), limits.blocking_credit(kMany));
  EXPECT_LE(send_much("news", Kind::kPublish), limits.blocking_credit(kMany));
}

TEST_F(SlowSubscriberTest, TheSessionOfOneThatWantsItEndsInWords) {
  FakePeer& alice = join("alice");
  FakePeer& bob = slow(SlowPolicy::kDisconnect);
  publish_many(alice, 30);
  EXPECT_THAT(heard(bob), Contains(HasSubstr("refused unresponsive")));
  EXPECT_EQ(world.router().sessions(), 1U);
  catch_up();
  EXPECT_EQ(alice.told(Outcome::kDelivered), 30U);
}

TEST_F(SlowSubscriberTest, RetainedValuesAreNoSignThatItIsSlow) {
  FakePeer& alice = join("alice");
  for (int i = 0; i < 30; ++i) {
    publish(alice, "kept/" + std::to_string(i), std::string(970, '.'), {.retain = true});
    catch_up();
  }
  for (const SlowPolicy policy : {SlowPolicy::kDropOldest, SlowPolicy::kDisconnect}) {
    FakePeer& bob = slow(policy);
    publish(alice, "news", "1");
    for (int i = 0; i < 40; ++i) catch_up();
    EXPECT_EQ(bob.bodies().size(), 31U);
    bob.goodbye();
    catch_up();
  }
}

TEST_F(SlowSubscriberTest, RetainedValuesDoNotHoldPublishersUp) {
  FakePeer& alice = join("alice");
  for (int i = 0; i < 30; ++i) {
    publish(alice, "kept/" + std::to_string(i), std::string(970, '.'), {.retain = true});
    catch_up();
  }
  const std::uint64_t before = alice.told(Outcome::kDelivered);
  FakePeer& bob = slow(SlowPolicy::kBlock);
  publish_many(alice, 30);
  world.advance(3 * kMillisecond);
  alice.read();
  const std::uint64_t settled = alice.told(Outcome::kDelivered) - before;
  EXPECT_GE(settled, 8U) << "as many as without retained values";
  EXPECT_LE(settled, 12U);
  for (int i = 0; i < 60; ++i) catch_up();
  EXPECT_EQ(alice.told(Outcome::kDelivered) - before, 30U);
  EXPECT_EQ(bob.bodies().size(), 60U);
}

TEST_F(SlowSubscriberTest, NoMoreIsDroppedThanThereIsNoRoomForThoughRetainedValuesWait) {
  FakePeer& alice = join("alice");
  for (int i = 0; i < 30; ++i) {
    publish(alice, "kept/" + std::to_string(i), std::string(970, '.'), {.retain = true});
    catch_up();
  }
  // One envelope a frame, so that each can be dropped.
  FakePeer& bob = join(FakePeer::Options{.name = "bob", .window = 1000, .demand = 1000});
  (void)subscribe(bob, "**");
  publish_many(alice, 30);
  for (int i = 0; i < 80; ++i) catch_up();
  std::uint64_t missed = 0;
  for (const EnvelopeView& view : bob.entries()) {
    if (view.kind() == Kind::kGap) missed += decode_gap(view.body)->count;
  }
  EXPECT_GE(missed, 15U);
  EXPECT_LE(missed, 25U);
}

TEST_F(SlowSubscriberTest, AGapIsToldWhenThereIsDemandForItsMark) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join(FakePeer::Options{.name = "bob", .demand = 0});
  publish(alice, "news", "1", {.retain = true});
  world.router().set_process_memory(Limits().memory + 1);
  (void)subscribe(bob, "**");
  world.router().set_process_memory(0);
  for (int i = 0; i < 3; ++i) catch_up();
  EXPECT_EQ(bob.arrived(), 0U);
  bob.write_ack({0, bob.outcomes(), bob.credit(), 1});
  bob.say();
  world.settle();
  EXPECT_THAT(heard(bob), Contains(HasSubstr("gap")));
}

TEST_F(SlowSubscriberTest, OneLargePublishIsNoSignThatItIsSlow) {
  FakePeer& alice = join("alice");
  FakePeer& bob = slow(SlowPolicy::kDisconnect);
  publish(alice, "news", std::string(20'000, '.'));
  for (int i = 0; i < 3; ++i) catch_up();
  EXPECT_EQ(bob.bodies().size(), 1U);
}

TEST_F(SlowSubscriberTest, OneSlowSubscriberHoldsUpNobodyElse) {
  FakePeer& alice = join("alice");
  slow(SlowPolicy::kDropOldest);
  FakePeer& carol = join("carol");
  (void)subscribe(carol, "**");
  for (int i = 0; i < 10; ++i) {
    publish_many(alice, 10);
    carol.keep_up();
    alice.keep_up();
    world.settle();
  }
  EXPECT_EQ(carol.bodies().size(), 100U);
}

TEST_F(SlowSubscriberTest, WhatWasHandedOverIsRepeatedOnResumeWithoutAGap) {
  FakePeer& alice = join("alice");
  FakePeer& bob = slow(SlowPolicy::kDropOldest);
  publish_many(alice, 5);
  bob.lose();
  come(bob);
  EXPECT_TRUE(bob.welcome().resumed);
  for (int i = 0; i < 10; ++i) catch_up();
  EXPECT_EQ(bob.bodies().size(), 5U);
  publish(alice, "news", "still subscribed");
  for (int i = 0; i < 3; ++i) catch_up();
  EXPECT_EQ(bob.bodies().size(), 6U);
}

// ---- Limits

TEST_F(SlowSubscriberTest, WhatIsHandedOverForLackOfRoomComesBehindTheRestOfItsFrame) {
  FakePeer& alice = join("alice");
  // What has a demand gets one envelope a frame.
  FakePeer& bob = join(FakePeer::Options{.name = "bob", .frames = 40, .demand = 100});
  (void)subscribe(bob, "news");
  for (int i = 0; i < 30; ++i) alice.write("news", std::string(970, '.'), Kind::kPublish);
  alice.write("bob", "direct");
  alice.say();
  world.settle();
  bob.read();
  EXPECT_EQ(bob.bodies().front(), "direct");
  EXPECT_EQ(bob.bodies().size(), 31U);
}

TEST_F(TopicsTest, SubscriptionsHaveALimitPerPeerAndInAll) {
  Limits limits;
  limits.subscriptions = 2;
  limits.all_subscriptions = 3;
  Meeting room(limits);
  FakePeer& alice = room.join("alice");
  FakePeer& bob = room.join("bob");
  std::vector<std::uint64_t> ids;
  for (FakePeer* peer : {&alice, &bob}) {
    for (const std::string pattern : {"a", "b", "a"}) {
      ids.push_back(peer->write_interest(Kind::kSubscribe, encode(Subscribe{pattern})));
    }
    peer->say();
  }
  ids.push_back(alice.write_interest(Kind::kSubscribe, encode(Subscribe{"c"})));
  alice.say();
  room.catch_up();
  EXPECT_EQ(alice.answer(ids[0]), Outcome::kDelivered);
  EXPECT_EQ(alice.answer(ids[2]), Outcome::kDelivered);
  EXPECT_EQ(bob.answer(ids[4]), Outcome::kFull);
  EXPECT_EQ(alice.answer(ids[6]), Outcome::kFull);
}

TEST_F(TopicsTest, AnswersNobodyAcknowledgesAreBounded) {
  FakePeer& alice = join(FakePeer::Options{.name = "alice", .honest = false});
  const ByteBuffer body = encode(Subscribe{"news"});
  for (int i = 0; i < 5000; ++i) alice.write_interest(Kind::kSubscribe, body);
  alice.say();
  world.settle();
  EXPECT_EQ(world.router().sessions(), 0U);
}

}  // namespace
}  // namespace zpost::core::test
