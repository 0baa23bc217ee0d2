// What waits: outcome reports, requests; and the pauses between attempts to connect.
#include <gtest/gtest.h>

#include <thread>

#include "peer/src/frame_pool.h"
#include "peer/src/reports.h"
#include "peer/src/requests.h"
#include "peer/src/session.h"

namespace zpost::peer {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(ReportsTest, RunsAreToldOneByOneInTheOrderOfArrival) {
  Reports reports(100);
  reports.add("bob", 1, 2, Outcome::kDelivered);
  reports.add("bob", 3, 1, Outcome::kNoPeer, "nobody");
  reports.add("bob", 4, 1, Outcome::kDelivered);
  std::vector<std::uint64_t> ids;
  while (const auto report = reports.next()) {
    ids.push_back(report->id);
    EXPECT_EQ(report->to, "bob");
    EXPECT_EQ(report->outcome, report->id == 3 ? Outcome::kNoPeer : Outcome::kDelivered);
  }
  EXPECT_EQ(ids, (std::vector<std::uint64_t>{1, 2, 3, 4}));
}

TEST(ReportsTest, BeyondTheLimitTheOldestSuccessesAreDroppedFirstAndCounted) {
  Reports reports(3);
  reports.add("bob", 1, 1, Outcome::kLost);
  reports.add("bob", 2, 4, Outcome::kDelivered);
  EXPECT_EQ(reports.dropped(), 2u);
  EXPECT_EQ(reports.next()->id, 1u);
  EXPECT_EQ(reports.next()->id, 4u);
  EXPECT_EQ(reports.next()->id, 5u);
  EXPECT_FALSE(reports.next());
}

class RequestsTest : public testing::Test {
 protected:
  Resolver resolver() {
    return [](const Answer<Message>&) {};
  }

  Requests requests_;
  const Time start_ = Time(seconds(1000));
};

TEST_F(RequestsTest, OnlyWhomItWentToMayAnswer) {
  requests_.add({.id = 7, .to = "bob", .deadline = Time::max()}, resolver());
  EXPECT_FALSE(requests_.reply("mallory", 7, false));
  EXPECT_FALSE(requests_.reply("bob", 8, false));
  EXPECT_TRUE(requests_.reply("bob", 7, false));
  EXPECT_FALSE(requests_.reply("bob", 7, false)) << "answered twice";
}

TEST_F(RequestsTest, WhatIsPastItsDeadlineTimesOut) {
  requests_.add({.id = 1, .to = "bob", .deadline = start_ + seconds(2)}, resolver());
  requests_.add({.id = 2, .to = "bob", .deadline = start_ + seconds(1)}, resolver());
  EXPECT_EQ(requests_.next_deadline(), start_ + seconds(1));
  EXPECT_TRUE(requests_.expire(start_).empty());
  const auto expired = requests_.expire(start_ + seconds(1));
  ASSERT_EQ(expired.size(), 1u);
  EXPECT_EQ(expired[0].id, 2u);
  EXPECT_EQ(expired[0].resolved.answer.error().fault, Fault::kTimedOut);
  EXPECT_EQ(requests_.size(), 1u);
  EXPECT_EQ(requests_.next_deadline(), start_ + seconds(2));
}

TEST_F(RequestsTest, AFailureTakesTheRequestOut) {
  requests_.add({.id = 1, .to = "bob", .deadline = Time::max()}, resolver());
  const auto failed = requests_.fail(1, {Fault::kFailed, Outcome::kNoPeer, "no-peer"});
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->answer.error().outcome, Outcome::kNoPeer);
  EXPECT_FALSE(requests_.fail(1, {}));
}

TEST(BackoffTest, PausesDoubleUpToTheLastWithJitterBelow) {
  Backoff backoff(milliseconds(20), milliseconds(100), 42);
  for (const int full : {20, 40, 80, 100, 100}) {
    const auto pause = backoff.next();
    EXPECT_LE(pause, milliseconds(full));
    EXPECT_GE(pause, milliseconds(full) / 2);
  }
  backoff.reset();
  EXPECT_LE(backoff.next(), milliseconds(20));
}

TEST(RefusalTest, AHeldNameIsFinalUnlessTheProgramWaitsForIt) {
  const Refusal held{Outcome::kNameHeld, "", true};
  EXPECT_TRUE(is_final(held, true, false));
  EXPECT_FALSE(is_final(held, true, true));
  EXPECT_TRUE(is_final(held, false, true)) << "somebody else took it while we were away";
}

TEST(RefusalTest, ABrokerThatLeavesOrIsFullIsTriedAgain) {
  for (const Outcome code :
       {Outcome::kDraining, Outcome::kFull, Outcome::kSilent, Outcome::kNotWelcomed}) {
    EXPECT_FALSE(is_final({code, "", true}, false, false)) << outcome_name(code);
  }
  EXPECT_TRUE(is_final({Outcome::kVersion, "", false}, true, false));
  EXPECT_TRUE(is_final({Outcome::kReplaced, "", false}, false, false));
}

TEST(FramePoolTest, ABufferReturnsFromAnotherThreadAndIsUsedAgain) {
  FramePool pool;
  FrameRef first = pool.acquire(1000);
  EXPECT_EQ(first->capacity, 1024u);
  const std::byte* const bytes = first->bytes.get();
  std::thread([last = std::move(first)]() mutable { last.reset(); }).join();
  EXPECT_EQ(pool.acquire(600)->bytes.get(), bytes);
}

TEST(FramePoolTest, ManyThreadsMayReturnBuffersAtOnce) {
  FramePool pool;
  for (int round = 0; round < 200; ++round) {
    std::vector<FrameRef> frames;
    for (int i = 0; i < 8; ++i) frames.push_back(pool.acquire(64));
    std::vector<FrameRef> others(frames.begin(), frames.end());
    std::thread other([&] { others.clear(); });
    frames.clear();
    other.join();
  }
}

}  // namespace
}  // namespace zpost::peer
