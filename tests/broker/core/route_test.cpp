// The dry run: what it foretells is what then happens. SPEC.md, section 11.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/broker/core/support/meeting.h"
#include "zpost/protocol/names.h"

namespace zpost::core::test {
namespace {

using nlohmann::json;

/// What is asked of the broker. Its size is that of the envelope that is then sent.
struct Question {
  Kind kind = Kind::kSend;
  std::string from = "alice";
  std::string to = {};
  std::string body = "?";
  bool retain = false;
  std::uint64_t start = 0;
};

class RouteTest : public testing::Test, public Meeting {
 protected:
  explicit RouteTest(const Limits& limits = {}) : Meeting(limits) {}

  json ask(const Question& question) {
    if (asker_ == nullptr) asker_ = &join("asker");
    ByteBuffer body;
    MsgpackWriter writer(body);
    writer.map(7).str("op").str("route").str("kind").uint(
        static_cast<std::uint64_t>(question.kind));
    writer.str("from").str(question.from).str("to").str(question.to);
    writer.str("bytes").uint(question.body.size()).str("retain").boolean(question.retain);
    writer.str("start").uint(question.start);
    asker_->send("", {reinterpret_cast<const char*>(body.data()), body.size()}, Kind::kRequest);
    world.settle();
    asker_->keep_up();
    world.settle();
    const EnvelopeView last = asker_->entries().back();
    rejected_ = read_meta(last)->rejected;
    const std::string_view text(reinterpret_cast<const char*>(last.body.data()), last.body.size());
    if (rejected_) return text;
    return json::from_msgpack(text);
  }

  /// Asks, then sends: whether one came of the other.
  void expect_same(FakePeer& sender, const Question& question) {
    const json told = ask(question);
    ASSERT_TRUE(told.is_object()) << told;
    const auto foretold = static_cast<Outcome>(told.value("outcome", 0));
    const std::uint64_t before = foretold == Outcome::kNone ? 0 : sender.told(foretold);
    const Accounting counted = world.router().accounting();
    Meta meta;
    meta.retain = question.retain;
    sender.send(question.to, question.body, question.kind, meta);
    world.settle();
    sender.read();
    const Accounting& now = world.router().accounting();
    if (told["fate"] == "refused") {
      EXPECT_EQ(sender.told(foretold), before + 1) << told;
      EXPECT_EQ(now.failed, counted.failed + 1) << told;
    } else {
      const bool nobody = question.kind == Kind::kPublish && told["queues"] == 0;
      EXPECT_EQ(now.failed, counted.failed + (nobody ? 1 : 0)) << told;
    }
  }

  /// One that reads nothing and takes nothing.
  FakePeer& idle(const std::string& name, std::uint64_t frames = 1) {
    return join(FakePeer::Options{.name = name, .frames = frames});
  }

  void subscribe(FakePeer& peer, const std::string& pattern,
                 SlowPolicy policy = SlowPolicy::kDropOldest, bool excludes_own = false) {
    peer.write_interest(Kind::kSubscribe, encode(Subscribe{pattern, policy, excludes_own}), false);
    peer.say();
    world.settle();
  }

  void offer(FakePeer& peer, std::uint64_t capacity = 1) {
    peer.write_interest(Kind::kOffer, encode(Offer{"sum", capacity}), false);
    peer.say();
    world.settle();
  }

  FakePeer* asker_ = nullptr;
  bool rejected_ = false;
};

TEST_F(RouteTest, ASendToAPeerThatIsThereGoesAtOnce) {
  FakePeer& alice = join("alice");
  join("bob");
  const json told = ask({.to = "bob", .body = "hello"});
  EXPECT_EQ(told["fate"], "forwarded");
  EXPECT_EQ(told["sender"], "active");
  EXPECT_EQ(told["recipients"][0]["name"], "bob");
  EXPECT_EQ(told["recipients"][0]["state"], "active");
  expect_same(alice, {.to = "bob", .body = "hello"});
}

TEST_F(RouteTest, NobodyOfThatNameIsNoPeer) {
  FakePeer& alice = join("alice");
  EXPECT_EQ(ask({.to = "bob"})["outcome"], static_cast<int>(Outcome::kNoPeer));
  EXPECT_EQ(ask({.to = "bob"})["text"], "no peer of that name");
  expect_same(alice, {.to = "bob"});
}

TEST_F(RouteTest, WhatIsNoNameIsRefusedAsItWouldBe) {
  FakePeer& alice = join("alice");
  EXPECT_EQ(ask({.to = "not a name"})["outcome"], static_cast<int>(Outcome::kBadName));
  expect_same(alice, {.to = "not a name"});
  expect_same(alice, {.kind = Kind::kPublish, .to = "a//b"});
  expect_same(alice, {.kind = Kind::kCall, .to = "*"});
}

TEST_F(RouteTest, WhoIsAwayHasItHeld) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  bob.lose();
  world.settle();
  const json told = ask({.to = "bob"});
  EXPECT_EQ(told["fate"], "held");
  EXPECT_EQ(told["recipients"][0]["why"], "away");
  expect_same(alice, {.to = "bob"});
}

TEST_F(RouteTest, AShutWindowIsNamed) {
  FakePeer& alice = join("alice");
  idle("bob");
  const json before = ask({.to = "bob"});
  expect_same(alice, {.to = "bob"});
  const json told = ask({.to = "bob"});
  EXPECT_EQ(told["recipients"][0]["window_room"].get<int>() + before["bytes"].get<int>(),
            before["recipients"][0]["window_room"].get<int>());
  EXPECT_EQ(told["fate"], "held");
  EXPECT_EQ(told["recipients"][0]["why"], "window-full");
  EXPECT_EQ(told["recipients"][0]["frames_room"], 0);
  expect_same(alice, {.to = "bob"});
}

TEST_F(RouteTest, TheSendersStateIsTold) {
  join("bob");
  EXPECT_EQ(ask({.to = "bob"})["sender"], "absent");
  EXPECT_EQ(ask({.from = "", .to = "bob"})["sender"], "absent");
  EXPECT_EQ(ask({.to = "bob"})["fate"], "forwarded");
}

TEST_F(RouteTest, BeyondTheCreditItIsRefused) {
  FakePeer& alice = join("alice");
  idle("bob");
  const std::string large(alice.welcome().pair - 200, 'x');
  expect_same(alice, {.to = "bob", .body = large});
  const json told = ask({.to = "bob", .body = large});
  EXPECT_EQ(told["outcome"], static_cast<int>(Outcome::kOverCredit));
  expect_same(alice, {.to = "bob", .body = large});
}

TEST_F(RouteTest, TheBrokerItselfTakesRequests) {
  join("alice");
  EXPECT_EQ(ask({.kind = Kind::kRequest, .to = ""})["fate"], "forwarded");
}

TEST_F(RouteTest, ABadQuestionIsRejectedWithItsKey) {
  EXPECT_EQ(ask({.from = "not a name", .to = "bob"}), "bad value of key \"from\"");
  EXPECT_TRUE(rejected_);
  EXPECT_EQ(ask({.kind = Kind::kAck, .to = "bob"}), "bad value of key \"kind\"");
  EXPECT_EQ(ask({.to = std::string(300, 'x')}), "bad value of key \"to\"");
}

// ---- Topics

TEST_F(RouteTest, EverySubscriberIsNamedWithItsPatternsAndPolicy) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  subscribe(bob, "lab/*");
  subscribe(bob, "lab/**", SlowPolicy::kBlock);
  subscribe(bob, "shop/*");
  subscribe(alice, "lab/oven", SlowPolicy::kDropOldest, true);
  const json told = ask({.kind = Kind::kPublish, .to = "lab/oven"});
  EXPECT_EQ(told["fate"], "published");
  EXPECT_EQ(told["queues"], 1);
  EXPECT_EQ(told["retained"], 0);
  ASSERT_EQ(told["recipients"].size(), 2U);
  EXPECT_EQ(told["recipients"][0]["name"], "alice");
  EXPECT_EQ(told["recipients"][0]["own"], true);
  EXPECT_EQ(told["recipients"][1]["policy"], "block");
  EXPECT_EQ(told["recipients"][1]["matching"], 2);
  expect_same(alice, {.kind = Kind::kPublish, .to = "lab/oven"});
}

TEST_F(RouteTest, ARetainedValueIsSeen) {
  FakePeer& alice = join("alice");
  expect_same(alice, {.kind = Kind::kPublish, .to = "lab/oven", .retain = true});
  subscribe(join("bob"), "lab/*");
  expect_same(alice, {.kind = Kind::kPublish, .to = "lab/oven", .retain = true});
  EXPECT_GT(ask({.kind = Kind::kPublish, .to = "lab/oven"})["retained"], 0);
}

TEST_F(RouteTest, ManySubscribersComeInPages) {
  join("alice");
  for (int i = 0; i < 150; ++i) subscribe(join("s" + std::to_string(i)), "news");
  const json first = ask({.kind = Kind::kPublish, .to = "news"});
  EXPECT_EQ(first["queues"], 150);
  EXPECT_EQ(first["recipients"].size(), 100U);
  const json second = ask({.kind = Kind::kPublish, .to = "news", .start = first["next"]});
  EXPECT_EQ(second["recipients"].size(), 50U);
  EXPECT_FALSE(second.contains("next"));
}

class RouteLimitsTest : public RouteTest {
 protected:
  RouteLimitsTest() : RouteTest(small()) {}

  static Limits small() {
    Limits limits;
    limits.queue = 600;
    limits.topic_queue = 400;
    limits.max_envelope = 4096;
    limits.rate = 20;
    limits.calls = 3;
    limits.service_queue = 2;
    limits.retained = 1;
    return limits;
  }
};

TEST_F(RouteLimitsTest, EachLimitRefusesAsItWillRefuse) {
  FakePeer& alice = join("alice");
  idle("bob");
  for (int i = 0; i < 4; ++i) expect_same(alice, {.to = "bob", .body = std::string(200, 'x')});
  EXPECT_EQ(ask({.to = "bob", .body = std::string(200, 'x')})["outcome"],
            static_cast<int>(Outcome::kFull));
  expect_same(alice, {.to = "bob", .body = std::string(5000, 'x')});
  expect_same(alice, {.kind = Kind::kPublish, .to = "a", .retain = true});
  FakePeer& carol = join("carol");
  subscribe(carol, "**");
  expect_same(alice, {.kind = Kind::kPublish, .to = "a", .retain = true});
  expect_same(alice, {.kind = Kind::kPublish, .to = "b", .retain = true});
}

TEST_F(RouteLimitsTest, ARateIsKept) {
  FakePeer& alice = join("alice");
  join("bob");
  expect_same(alice, {.to = "bob"});
  for (int i = 0; i < 19; ++i) alice.send("bob", "?");
  world.settle();
  EXPECT_EQ(ask({.to = "bob"})["outcome"], static_cast<int>(Outcome::kOverRate));
  expect_same(alice, {.to = "bob"});
}

TEST_F(RouteLimitsTest, AFullTopicQueueIsSeenBeforeItDrops) {
  FakePeer& alice = join("alice");
  subscribe(join(FakePeer::Options{.name = "bob", .window = 300}), "news");
  bool full = false;
  for (int i = 0; i < 12; ++i) {
    const Question question{.kind = Kind::kPublish, .to = "news", .body = std::string(200, 'x')};
    full = ask(question)["recipients"][0]["full"];
    const std::uint64_t before =
        world.router().accounting().failed_by.at(static_cast<std::size_t>(Outcome::kDropped));
    alice.send("news", question.body, Kind::kPublish);
    world.settle();
    const std::uint64_t after =
        world.router().accounting().failed_by.at(static_cast<std::size_t>(Outcome::kDropped));
    EXPECT_EQ(full, after > before) << i;
  }
  EXPECT_TRUE(full);
}

// ---- Services

TEST_F(RouteLimitsTest, ACallGoesToWhomItSaysThenWaitsThenFails) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  EXPECT_EQ(ask({.kind = Kind::kCall, .to = "sum"})["outcome"],
            static_cast<int>(Outcome::kNoWorker));
  expect_same(alice, {.kind = Kind::kCall, .to = "sum"});
  alice.keep_up();
  FakePeer& w1 = join("w1");
  FakePeer& w2 = join("w2");
  offer(w1);
  offer(w2);
  for (FakePeer* each : {&alice, &alice}) {
    const json told = ask({.kind = Kind::kCall, .to = "sum"});
    EXPECT_EQ(told["fate"], "assigned");
    FakePeer& chosen = told["worker"] == "w1" ? w1 : w2;
    const std::uint64_t before = chosen.arrived();
    expect_same(*each, {.kind = Kind::kCall, .to = "sum"});
    world.settle();
    chosen.read();
    EXPECT_EQ(chosen.arrived(), before + 1);
  }
  EXPECT_EQ(ask({.kind = Kind::kCall, .to = "sum"})["fate"], "waiting");
  expect_same(alice, {.kind = Kind::kCall, .to = "sum"});
  // Her third is her last: limits.calls.
  expect_same(alice, {.kind = Kind::kCall, .to = "sum"});
  EXPECT_THAT(ask({.kind = Kind::kCall, .to = "sum"})["text"].get<std::string>(),
              testing::HasSubstr("limits.calls"));
  expect_same(bob, {.kind = Kind::kCall, .from = "bob", .to = "sum"});
  const json told = ask({.kind = Kind::kCall, .from = "bob", .to = "sum"});
  EXPECT_THAT(told["text"].get<std::string>(), testing::HasSubstr("limits.service_queue"));
  EXPECT_EQ(told["waiting"], 2);
  expect_same(bob, {.kind = Kind::kCall, .from = "bob", .to = "sum"});
}

}  // namespace
}  // namespace zpost::core::test
