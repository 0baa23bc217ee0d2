// How long envelopes took, by the core's time.
#include "broker/core/latencies.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/broker/core/support/meeting.h"

namespace zpost::core::test {
namespace {

class LatenciesTest : public testing::Test, public Meeting {
 protected:
  [[nodiscard]] static std::uint64_t count(const LatencyHistogram& times) {
    std::uint64_t count = 0;
    for (std::size_t i = 0; i <= LatencyHistogram::kBounds.size(); ++i) count += times.count(i);
    return count;
  }

  void expect(const LatencyHistogram& times, std::uint64_t number, double seconds) {
    EXPECT_EQ(count(times), number);
    EXPECT_NEAR(times.seconds(), seconds, 1e-9);
  }

  [[nodiscard]] LatencyHistogram delivery(Kind kind) const {
    return world.router().metrics().latencies.delivery(kind);
  }

  void pass(std::int64_t ns) {
    world.settle();
    world.advance(ns);
  }

  void takes(FakePeer& peer) {
    peer.keep_up();
    world.settle();
  }
};

TEST_F(LatenciesTest, AnEnvelopeIsTimedFromItsArrivalUntilItIsTaken) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  alice.send("bob", "hello");
  pass(3 * kMillisecond);
  EXPECT_EQ(count(delivery(Kind::kSend)), 0U);
  takes(bob);
  expect(delivery(Kind::kSend), 1, 0.003);
}

TEST_F(LatenciesTest, NeighboursThatCameInDifferentTurnsAreTimedEachByItself) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  alice.send("bob", "1");
  pass(5 * kMillisecond);
  alice.send("bob", "2");
  pass(2 * kMillisecond);
  takes(bob);
  expect(delivery(Kind::kSend), 2, 0.007 + 0.002);
}

TEST_F(LatenciesTest, OfALongQueueTimesAreRightToAnEighth) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  double seconds = 0;
  for (int i = 0; i < 80; ++i) {
    alice.send("bob", "x");
    pass(kMillisecond);
    seconds += (80 - i) * 1e-3;
  }
  takes(bob);
  const LatencyHistogram times = delivery(Kind::kSend);
  EXPECT_EQ(count(times), 80U);
  EXPECT_GE(times.seconds(), seconds * 0.999);
  EXPECT_LE(times.seconds(), seconds * 1.125);
}

TEST_F(LatenciesTest, WhatIsHandedToAPeerWithoutAcksIsTimedUntilThen) {
  FakePeer& alice = join("alice");
  join_simple("bob");
  alice.send("bob", "hello");
  world.settle();
  expect(delivery(Kind::kSend), 1, 0);
}

TEST_F(LatenciesTest, WhatFailsIsNotTimed) {
  FakePeer& alice = join("alice");
  alice.send("nobody", "hello");
  pass(kMillisecond);
  EXPECT_EQ(count(delivery(Kind::kSend)), 0U);
}

TEST_F(LatenciesTest, EachCopyOfAPublishIsTimed) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  FakePeer& carol = join("carol");
  for (FakePeer* const peer : {&bob, &carol}) {
    peer->write_interest(Kind::kSubscribe, encode(Subscribe{"news"}), false);
    peer->say();
  }
  world.settle();
  alice.send("news", "rain", Kind::kPublish);
  pass(2 * kMillisecond);
  takes(bob);
  expect(delivery(Kind::kPublish), 1, 0.002);
  pass(kMillisecond);
  takes(carol);
  expect(delivery(Kind::kPublish), 2, 0.002 + 0.003);
}

TEST_F(LatenciesTest, ARequestIsTimedUntilItIsTakenAndUntilItsReply) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  const std::uint64_t id = alice.send("bob", "?", Kind::kRequest);
  pass(kMillisecond);
  takes(bob);
  pass(4 * kMillisecond);
  Meta meta;
  meta.in_reply_to = id;
  bob.send("alice", "!", Kind::kReply, meta);
  world.settle();
  expect(delivery(Kind::kRequest), 1, 0.001);
  expect(world.router().metrics().latencies.request, 1, 0.005);
  EXPECT_EQ(count(world.router().metrics().latencies.call), 0U);
  pass(2 * kMillisecond);
  takes(alice);
  expect(delivery(Kind::kReply), 1, 0.002);
}

TEST_F(LatenciesTest, ACallIsTimedFromItsArrivalThoughItWaitedForAWorker) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  bob.write_interest(Kind::kOffer, encode(Offer{"sum", 1}), false);
  bob.say();
  world.settle();
  const std::uint64_t first = alice.send("sum", "1", Kind::kCall);
  const std::uint64_t second = alice.send("sum", "2", Kind::kCall);
  pass(kMillisecond);
  takes(bob);
  EXPECT_EQ(world.router().metrics().waiting_calls, 1U);
  pass(3 * kMillisecond);
  for (const std::uint64_t id : {first, second}) {
    Meta meta;
    meta.in_reply_to = id;
    bob.send("alice", "!", Kind::kReply, meta);
    world.settle();
    takes(bob);
  }
  expect(delivery(Kind::kCall), 2, 0.001 + 0.004);
  expect(world.router().metrics().latencies.call, 2, 0.004 + 0.004);
}

TEST_F(LatenciesTest, MetricsTellWhatWaitsForWhom) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  world.lose(bob.connection());
  world.settle();
  alice.send("bob", "hello");
  world.settle();
  const Metrics metrics = world.router().metrics();
  EXPECT_EQ(metrics.active, 1U);
  EXPECT_EQ(metrics.away, 1U);
  EXPECT_EQ(metrics.tally.sessions, 2U);
  EXPECT_EQ(metrics.peers_with_queue, 1U);
  EXPECT_GT(metrics.waiting_bytes, 0U);
  EXPECT_EQ(metrics.waiting_bytes, metrics.fullest_queue_bytes);
  EXPECT_EQ(metrics.waiting_bytes + metrics.unacknowledged_bytes, metrics.held_bytes);
  EXPECT_EQ(metrics.accounting.held, 1U);
}

}  // namespace
}  // namespace zpost::core::test
