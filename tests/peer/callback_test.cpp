// What programs may do inside callbacks, and what becomes of them when they throw.
#include <atomic>
#include <functional>
#include <optional>
#include <stdexcept>
#include <thread>

#include "tests/peer/peer_fixture.h"

namespace zpost::peer {
namespace {

class CallbackTest : public PeerTest {
 protected:
  explicit CallbackTest(FakeBroker::Settings settings = {}) : PeerTest(settings) {}

  /// Runs `step` inside a callback of `peer`, which has a run() of its own for it.
  static void inside(Peer& peer, const std::function<void()>& step) {
    ASSERT_TRUE(peer.send(peer.name(), as_bytes("go")));
    peer.run([&](const EnvelopeView&) {
      step();
      return false;
    });
  }
};

TEST_F(CallbackTest, OtherPeersMayComeAndGoInside) {
  Peer alice = connect("alice");
  std::optional<Peer> bob = connect("bob");
  inside(alice, [&] {
    EXPECT_TRUE(bob->close(kPatience));
    bob.reset();
    Options nowhere = options("carol");
    nowhere.endpoint = "tcp://127.0.0.1:9";
    nowhere.connect_timeout = 10ms;
    EXPECT_EQ(Peer::connect(nowhere).error().fault, Fault::kUnreachable);
    EXPECT_TRUE(Peer::connect(options("bob")).has_value());
  });
}

TEST_F(CallbackTest, OtherPeersWaitInsideAsEverywhere) {
  Peer alice = connect("alice");
  Peer bob = connect("bob");
  Peer carol = connect("carol");
  ASSERT_TRUE(bob.send("carol", as_bytes("x")));
  std::thread taker([&] {
    ASSERT_TRUE(carol.receive(kPatience));
    carol.take();
  });
  inside(alice, [&] {
    EXPECT_TRUE(bob.wait_settled(kPatience));
    EXPECT_TRUE(bob.who(kPatience));
  });
  taker.join();
}

TEST_F(CallbackTest, OnesOwnPeerDoesNotWaitInside) {
  broker_.stall("stone");
  Peer alice = connect("alice");
  ASSERT_TRUE(alice.send("stone", as_bytes("x")));
  inside(alice, [&] {
    EXPECT_FALSE(alice.wait_settled(kForever));
    EXPECT_FALSE(alice.close(kForever));
    EXPECT_EQ(alice.who(kForever).error().fault, Fault::kWouldBlock);
  });
  EXPECT_TRUE(alice.connected()) << "close did nothing";
}

TEST_F(CallbackTest, WhatRunsCallbackThrowsLeavesRunAndThePeerGoesOn) {
  Peer alice = connect("alice");
  Peer bob = connect("bob");
  ASSERT_TRUE(bob.send("alice", as_bytes("1")));
  ASSERT_TRUE(bob.send("alice", as_bytes("2")));
  const auto thrower = [](const EnvelopeView&) -> bool { throw std::runtime_error("mine"); };
  EXPECT_THROW(alice.run(thrower), std::runtime_error);
  EXPECT_EQ(texts(alice, 1), Texts{"2"});
  alice.take();
  EXPECT_TRUE(bob.wait_settled(kPatience));
  EXPECT_TRUE(alice.close(kPatience)) << "not inside a callback any more";
}

TEST_F(CallbackTest, EachOfManyRepliesMayMakeTheNextRequest) {
  constexpr int kAtOnce = 30;
  constexpr int kAll = 600;
  Peer alice = connect("alice");
  Peer bob = connect("bob");
  std::thread answering([&] {
    int left = kAll;
    bob.run([&](const EnvelopeView& asked) {
      EXPECT_TRUE(bob.reply(asked.from, asked.id, asked.body));
      return --left > 0;
    });
  });
  std::atomic<int> made{0};
  std::atomic<int> replied{0};
  std::function<void()> ask = [&] {
    if (++made > kAll) return;
    EXPECT_TRUE(alice.request("bob", as_bytes("x"), kPatience, [&](const Answer<Message>& reply) {
      EXPECT_TRUE(reply.has_value());
      ++replied;
      ask();
    }));
  };
  for (int i = 0; i < kAtOnce; ++i) ask();
  EXPECT_TRUE(wait_until([&] { return replied == kAll; }));
  answering.join();
}

TEST_F(CallbackTest, ARequestNeedsACallback) {
  Peer alice = connect("alice");
  const auto sent = alice.request("bob", as_bytes("?"), kPatience, {}, {});
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().fault, Fault::kInvalid);
}

TEST_F(CallbackTest, WithoutACallbackOutcomesAreQueuedAsTheOptionsSay) {
  Peer alice = connect("alice");
  Peer bob = connect("bob");
  std::atomic<int> heard{0};
  alice.on_outcome([&](const OutcomeReport&) { ++heard; });
  ASSERT_TRUE(alice.send("bob", as_bytes("x")));
  ASSERT_TRUE(bob.receive(kPatience));
  bob.take();
  ASSERT_TRUE(wait_until([&] { return heard == 1; }));

  alice.on_outcome(nullptr);
  ASSERT_TRUE(alice.send("bob", as_bytes("x")));
  ASSERT_TRUE(bob.receive(kPatience));
  bob.take();
  ASSERT_TRUE(alice.wait_settled(kPatience));
  EXPECT_FALSE(alice.next_outcome(0ms)) << "failures only";
  EXPECT_EQ(heard, 1);
}

// --- What ends the program -----------------------------------------------------------------------

using CallbackDeathTest = CallbackTest;

TEST_F(CallbackDeathTest, AnExceptionThatLeavesARequestsCallbackEndsTheProgram) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        Peer alice = connect("alice");
        (void)alice.request("nobody", as_bytes("?"), kPatience,
                            [](const Answer<Message>&) { throw std::runtime_error("mine"); });
        while (true) (void)alice.receive(10ms);
      },
      "mine");
}

TEST_F(CallbackDeathTest, DestroyingAPeerInItsOwnCallbackEndsTheProgram) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        std::optional<Peer> alice = connect("alice");
        inside(*alice, [&] { alice.reset(); });
      },
      "destroyed inside one of its own callbacks");
}

// --- Replies without credit ----------------------------------------------------------------------

class ReplyInCallbackTest : public CallbackTest {
 protected:
  ReplyInCallbackTest() : CallbackTest({.credit = 100'000, .pair = 10'000}) {}
};

TEST_F(ReplyInCallbackTest, AReplyWithoutCreditIsKeptAndSentWhenThereIs) {
  Peer alice = connect("alice");
  Peer bob = connect("bob");
  std::vector<std::future<Answer<Message>>> answers;
  for (int i = 0; i < 40; ++i) answers.push_back(alice.request("bob", as_bytes("?"), kPatience));
  broker_.stall("alice");
  std::size_t deferred = 0;
  std::size_t left = answers.size();
  bob.run([&](const EnvelopeView& request) {
    const auto sent = bob.reply(request.from, request.id, as_bytes(std::string(1'000, 'r')));
    EXPECT_TRUE(sent) << sent.error().text;
    if (sent && *sent == kDeferred) ++deferred;
    return --left != 0;
  });
  EXPECT_GT(deferred, 20u);
  EXPECT_EQ(bob.statistics().unsettled, 40u);
  broker_.stall("alice", false);
  broker_.grant("bob", 1'000'000, 1'000'000);
  for (std::size_t i = answers.size() - deferred; i < answers.size(); ++i) {
    EXPECT_TRUE(answers[i].get().has_value());
  }
  EXPECT_EQ(bob.statistics().sent, 40u);
}

TEST_F(ReplyInCallbackTest, ARejectionTakesOptionsAsAReplyDoes) {
  broker_.stall("stone");
  Peer bob = connect("bob");
  while (bob.try_send("stone", as_bytes(std::string(1'000, 'x')))) {
  }
  const std::string reason(1'000, 'r');
  EXPECT_EQ(bob.reject("stone", 1, reason, {.timeout = 10ms}).error().fault, Fault::kTimedOut);
  EXPECT_EQ(bob.reject("stone", 1, "\xff").error().fault, Fault::kInvalid) << "not UTF-8";
}

}  // namespace
}  // namespace zpost::peer
