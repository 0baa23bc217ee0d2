// Sending through a fake broker: frames, credit, outcomes.
#include <dlfcn.h>
#include <sys/mman.h>
#include <zmq.h>

#include <atomic>
#include <cerrno>
#include <thread>

#include "tests/peer/peer_fixture.h"

namespace {

std::atomic<bool> interrupt_sends{false};

}  // namespace

/// In front of libzmq's own: while interrupt_sends, every other call fails as one does that a
/// signal hits in the middle. Real signals do it too rarely to rely on.
extern "C" int zmq_msg_send(zmq_msg_t* message, void* socket, int flags) {
  static const auto real =
      reinterpret_cast<decltype(&zmq_msg_send)>(dlsym(RTLD_NEXT, "zmq_msg_send"));
  static std::atomic<int> calls{0};
  if (interrupt_sends && ++calls % 2 == 1) {
    errno = EINTR;
    return -1;
  }
  return real(message, socket, flags);
}

namespace zpost::peer {
namespace {

class SendingTest : public PeerTest {
 protected:
  using PeerTest::PeerTest;
};

TEST_F(SendingTest, AMessageArrivesWithAllThatWasSaid) {
  Peer alice = connect("alice");
  Peer bob = connect("bob");
  SendOptions options;
  options.content_type = "text/plain";
  options.text = true;
  options.stamp = true;
  const auto id = alice.send("bob", as_bytes("grüß dich"), options);
  ASSERT_TRUE(id);

  const auto message = bob.receive(kPatience);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->kind, Kind::kSend);
  EXPECT_EQ(message->from, "alice");
  EXPECT_EQ(message->id, *id);
  EXPECT_EQ(message->text(), "grüß dich");
  EXPECT_TRUE(message->body_is_text);
  EXPECT_EQ(message->content_type, "text/plain");
  EXPECT_GT(message->sent_ns, 0u);
}

TEST_F(SendingTest, AnEnvelopeIsSettledOnlyWhenTheRecipientTookIt) {
  Peer alice = connect("alice");
  Peer bob = connect("bob");
  ASSERT_TRUE(alice.send("bob", as_bytes("hello")));
  ASSERT_TRUE(bob.receive(kPatience));
  EXPECT_FALSE(alice.wait_settled(20ms)) << "given, not taken";
  EXPECT_EQ(alice.statistics().unsettled, 1u);
  EXPECT_FALSE(bob.receive(0ms));
  EXPECT_TRUE(alice.wait_settled(kPatience));
  EXPECT_EQ(alice.statistics().delivered, 1u);
}

TEST_F(SendingTest, AnEnvelopeOnAnIdleLinkGoesAtOnce) {
  Peer alice = connect("alice");
  ASSERT_TRUE(alice.send("bob", as_bytes("hello")));
  EXPECT_TRUE(wait_until([&] { return broker_.seen_count() == 1; }));
}

TEST_F(SendingTest, WhatGathersInAnOpenFrameGoesWithoutAnotherCall) {
  Peer alice = connect("alice");
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(alice.send("bob", as_bytes("hello")));
  EXPECT_TRUE(wait_until([&] { return broker_.seen_count() == 50; }));
}

TEST_F(SendingTest, ManyEnvelopesTravelInFewFrames) {
  Peer alice = connect("alice");
  Peer bob = connect("bob");
  const std::vector<Bytes> bodies(1000, as_bytes("x"));
  const auto sent = alice.send("bob", bodies);
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->count, 1000u);
  ASSERT_TRUE(wait_until([&] { return broker_.seen_count() == 1000; }));
  const auto seen = broker_.seen();
  EXPECT_LT(seen.back().frame - seen.front().frame, 20u);
  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i].id, sent->first + i);
}

TEST_F(SendingTest, ASpanMayMixSizesAndOptions) {
  Peer alice = connect("alice");
  Peer bob = connect("bob");
  const std::string large(300'000, 'L');
  const std::vector<Bytes> bodies = {as_bytes("a"), as_bytes(large), as_bytes(""), as_bytes("b")};
  std::thread sender([&] {
    ASSERT_TRUE(alice.send("bob", bodies));
    SendOptions options;
    options.content_type = "text/plain";
    ASSERT_TRUE(alice.send("bob", bodies, options));
  });
  EXPECT_EQ(texts(bob, 8), (Texts{"a", large, "", "b", "a", large, "", "b"}));
  sender.join();
}

TEST_F(SendingTest, WhatCanNeverBeSentIsRefusedWithTheReason) {
  Peer alice = connect("alice");
  EXPECT_EQ(alice.send("no such name!", as_bytes("")).error().fault, Fault::kInvalid);
  EXPECT_EQ(alice.send("", as_bytes("")).error().fault, Fault::kInvalid);
  const std::string huge(2 << 20, 'x');
  const auto too_large = alice.send("bob", as_bytes(huge));
  EXPECT_EQ(too_large.error().fault, Fault::kInvalid);
  EXPECT_NE(too_large.error().text.find("1048576"), std::string::npos) << too_large.error().text;
  SendOptions text;
  text.text = true;
  EXPECT_EQ(alice.send("bob", as_bytes("\xff"), text).error().fault, Fault::kInvalid);
}

TEST_F(SendingTest, TheEmptyNameIsNoRecipientAfterARequestToTheBrokerEither) {
  Peer alice = connect("alice");
  ASSERT_TRUE(alice.request("", as_bytes("?"), kPatience).get());
  EXPECT_EQ(alice.send("", as_bytes("x")).error().fault, Fault::kInvalid);
}

TEST_F(SendingTest, ABodyThatIsTooLargeIsRefusedWithoutALookAtIt) {
  Peer alice = connect("alice");
  constexpr std::size_t kSize = std::size_t{3} << 30;
  void* const hidden = mmap(nullptr, kSize, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(hidden, MAP_FAILED);
  const auto refused = alice.send("bob", {static_cast<const std::byte*>(hidden), kSize});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text.find("3221225495"), std::string::npos) << refused.error().text;
  munmap(hidden, kSize);
}

TEST_F(SendingTest, TheLargestEnvelopeGoesThrough) {
  Peer alice = connect("alice");
  Peer bob = connect("bob");
  std::string body(1 << 20, 'x');
  while (!alice.send("bob", as_bytes(body))) body.pop_back();
  EXPECT_GT(body.size(), (1u << 20) - 64);
  EXPECT_EQ(texts(bob, 1), Texts{body});
}

TEST_F(SendingTest, SignalsWhileFramesAreSentLoseNothing) {
  Peer bob = connect("bob");
  Peer alice = connect("alice");
  constexpr int kCount = 1'000;
  interrupt_sends = true;
  for (int i = 0; i < kCount; ++i) {
    ASSERT_TRUE(alice.send("bob", as_bytes("hello")));
    alice.flush();
  }
  EXPECT_EQ(texts(bob, kCount).size(), kCount);
  bob.take();
  EXPECT_TRUE(alice.wait_settled(kPatience));
  interrupt_sends = false;
  EXPECT_EQ(alice.statistics().reconnects, 0u);
  EXPECT_EQ(alice.statistics().delivered, kCount);
}

// --- Credit --------------------------------------------------------------------------------------

class CreditTest : public SendingTest {
 protected:
  CreditTest() : SendingTest({.credit = 100'000, .pair = 10'000}) {}

  /// Sends to `name`, which takes nothing, until there is no credit.
  static std::size_t fill(Peer& peer, const std::string& name) {
    std::size_t count = 0;
    while (peer.try_send(name, as_bytes("x"))) ++count;
    return count;
  }
};

TEST_F(CreditTest, TrySendSaysWouldBlockWithoutCredit) {
  broker_.stall("stone");
  Peer alice = connect("alice");
  EXPECT_GT(fill(alice, "stone"), 50u);
  EXPECT_EQ(alice.try_send("stone", as_bytes("x")).error().fault, Fault::kWouldBlock);
  EXPECT_EQ(alice.send("stone", as_bytes("x"), {.timeout = 10ms}).error().fault, Fault::kTimedOut);
}

TEST_F(CreditTest, AStalledRecipientStopsOnlyWhatIsSentToIt) {
  broker_.stall("stone");
  Peer alice = connect("alice");
  Peer bob = connect("bob");
  fill(alice, "stone");
  std::atomic<bool> sent{false};
  std::thread blocked([&] { sent = alice.send("stone", as_bytes("late")).has_value(); });
  for (int i = 0; i < 2000; ++i) {
    EXPECT_TRUE(alice.send("bob", as_bytes("hello"), {.timeout = kPatience}));
    EXPECT_TRUE(bob.receive(kPatience));
  }
  EXPECT_FALSE(sent);
  broker_.grant("alice", 1'000'000, 50'000);
  blocked.join();
  EXPECT_TRUE(sent);
}

TEST_F(CreditTest, ASpanBlocksForCreditInBetween) {
  Peer alice = connect("alice");
  Peer bob = connect("bob");
  const std::vector<Bytes> bodies(5000, as_bytes("0123456789"));
  std::thread sender([&] {
    const auto sent = alice.send("bob", bodies);
    ASSERT_TRUE(sent);
    EXPECT_EQ(sent->count, bodies.size());
  });
  std::size_t received = 0;
  Batch batch;
  while (received < bodies.size() && bob.receive_batch(batch, kPatience)) received += batch.size();
  sender.join();
  EXPECT_EQ(received, bodies.size());
  EXPECT_TRUE(bob.close(1s));
  EXPECT_TRUE(alice.wait_settled(kPatience));
}

TEST_F(CreditTest, ASpanThatTimesOutSaysHowMuchWasSent) {
  broker_.stall("stone");
  Peer alice = connect("alice");
  const std::vector<Bytes> bodies(5000, as_bytes("0123456789"));
  const auto sent = alice.send("stone", bodies, {.timeout = 10ms});
  ASSERT_TRUE(sent);
  EXPECT_GT(sent->count, 50u);
  EXPECT_LT(sent->count, bodies.size());
  EXPECT_EQ(alice.send("stone", bodies, {.timeout = 1ms}).error().fault, Fault::kTimedOut);
  ASSERT_TRUE(wait_until([&] { return broker_.seen_count() == sent->count; }));
}

TEST_F(CreditTest, InsideACallbackNothingBlocks) {
  broker_.stall("stone");
  std::atomic<int> fault{-1};  // Closing alice reports, too.
  Peer alice = connect("alice");
  fill(alice, "stone");
  alice.on_outcome([&](const OutcomeReport&) {
    fault = static_cast<int>(alice.send("stone", as_bytes("x")).error().fault);
  });
  ASSERT_TRUE(alice.send("nobody", as_bytes("x")));
  ASSERT_TRUE(wait_until([&] { return fault != -1; }));
  EXPECT_EQ(fault, static_cast<int>(Fault::kWouldBlock));
}

TEST_F(CreditTest, ManyThreadsShareOnePeer) {
  Peer alice = connect("alice");
  Peer bob = connect("bob");
  Peer carol = connect("carol");
  constexpr int kEach = 2000;
  std::vector<std::thread> senders;
  for (int t = 0; t < 4; ++t) {
    senders.emplace_back([&alice, t] {
      const std::string to = t % 2 == 0 ? "bob" : "carol";
      for (int i = 0; i < kEach; ++i) {
        ASSERT_TRUE(alice.send(to, as_bytes(std::to_string(t) + " " + std::to_string(i))));
      }
    });
  }
  for (Peer* const peer : {&bob, &carol}) {
    senders.emplace_back([peer] {
      std::map<char, int> next;
      std::uint64_t last = 0;
      for (int i = 0; i < 2 * kEach; ++i) {
        const auto message = peer->receive(kPatience);
        ASSERT_TRUE(message);
        EXPECT_GT(message->id, last);
        last = message->id;
        EXPECT_EQ(std::stoi(std::string(message->text().substr(2))), next[message->text()[0]]++);
      }
      peer->take();
    });
  }
  for (std::thread& thread : senders) thread.join();
  EXPECT_TRUE(alice.wait_settled(kPatience));
}

// --- Outcomes ------------------------------------------------------------------------------------

TEST_F(SendingTest, AFailureIsReportedWithItsReason) {
  Peer alice = connect("alice");
  const auto id = alice.send("nobody", as_bytes("hello"));
  ASSERT_TRUE(id);
  const auto report = alice.next_outcome(kPatience);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->id, *id);
  EXPECT_EQ(report->to, "nobody");
  EXPECT_EQ(report->outcome, Outcome::kNoPeer);
  EXPECT_TRUE(alice.wait_settled(kPatience));
  EXPECT_EQ(alice.statistics().failed, 1u);
  EXPECT_TRUE(wait_until([&] { return broker_.last_ack("alice").outcomes == 1; }))
      << "the outcome lane is acknowledged though the program never receives";
}

TEST_F(SendingTest, FailuresOnlyAreReportedByDefault) {
  Peer alice = connect("alice");
  Peer bob = connect("bob");
  ASSERT_TRUE(alice.send("bob", as_bytes("hello")));
  ASSERT_TRUE(bob.receive(kPatience));
  bob.take();
  EXPECT_TRUE(alice.wait_settled(kPatience));
  EXPECT_FALSE(alice.next_outcome(0ms));
}

TEST_F(SendingTest, EveryOutcomeIsReportedOnceWhenAskedFor) {
  Options all = options("alice");
  all.outcomes = OutcomeReports::kAll;
  Peer alice = connect(all);
  Peer bob = connect("bob");
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(alice.send(i % 10 == 0 ? "nobody" : "bob", as_bytes("hello")));
  }
  for (int i = 0; i < 90; ++i) ASSERT_TRUE(bob.receive(kPatience));
  bob.take();
  std::map<std::uint64_t, Outcome> outcomes;
  while (outcomes.size() < 100) {
    const auto report = alice.next_outcome(kPatience);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->outcome, report->to == "bob" ? Outcome::kDelivered : Outcome::kNoPeer);
    EXPECT_TRUE(outcomes.emplace(report->id, report->outcome).second) << "told twice";
  }
  EXPECT_FALSE(alice.next_outcome(0ms));
}

TEST_F(SendingTest, NoOutcomesAreKeptWhenNoneAreWanted) {
  Options none = options("alice");
  none.outcomes = OutcomeReports::kNone;
  Peer alice = connect(none);
  ASSERT_TRUE(alice.send("nobody", as_bytes("hello")));
  EXPECT_TRUE(alice.wait_settled(kPatience));
  EXPECT_FALSE(alice.next_outcome(0ms));
}

TEST_F(SendingTest, ACallbackHearsEveryFinalOutcomeInstead) {
  Peer alice = connect("alice");
  Peer bob = connect("bob");
  std::mutex mutex;
  std::vector<OutcomeReport> heard;
  alice.on_outcome([&](const OutcomeReport& report) {
    const std::scoped_lock lock(mutex);
    heard.push_back(report);
  });
  ASSERT_TRUE(alice.send("bob", as_bytes("hello")));
  ASSERT_TRUE(alice.send("nobody", as_bytes("hello")));
  ASSERT_TRUE(bob.receive(kPatience));
  bob.take();
  ASSERT_TRUE(wait_until([&] {
    const std::scoped_lock lock(mutex);
    return heard.size() == 2;
  }));
  EXPECT_FALSE(alice.next_outcome(0ms));
}

TEST_F(SendingTest, CallbacksMaySend) {
  Peer alice = connect("alice");
  Peer bob = connect("bob");
  std::atomic<int> left{100};
  alice.on_outcome([&](const OutcomeReport&) {
    if (--left == 0) return;
    ASSERT_TRUE(alice.send("nobody", as_bytes("again")));
  });
  ASSERT_TRUE(alice.send("nobody", as_bytes("first")));
  EXPECT_TRUE(wait_until([&] { return left == 0; }));
}

}  // namespace
}  // namespace zpost::peer
