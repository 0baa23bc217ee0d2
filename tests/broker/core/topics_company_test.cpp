// Publishes to many subscribers: small frames wait for company, docs/adr/0017.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/broker/core/support/meeting.h"

namespace zpost::core::test {
namespace {

constexpr std::int64_t kMicrosecond = 1000;

class TopicsCompanyTest : public testing::Test, public Meeting {
 protected:
  void gather(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      FakePeer& peer = join("s" + std::to_string(i));
      peer.write_interest(Kind::kSubscribe, encode(Subscribe{"news"}), false);
      peer.say();
      subscribers_.push_back(&peer);
    }
    catch_up();
    world.advance(kSecond);
    for (FakePeer* const peer : subscribers_) peer->keep_up();
  }

  void publish(const std::string& body) {
    alice_.send("news", body, Kind::kPublish);
    world.settle();
  }

  /// The frames that came to the first subscriber, as the number of publishes in each.
  std::vector<std::size_t> frames() {
    std::vector<std::size_t> counts;
    for (const std::string& frame : subscribers_.front()->read()) {
      std::size_t count = 0;
      FrameReader reader(as_bytes(frame));
      for (EnvelopeView view; reader.next(view);) count += view.kind() == Kind::kPublish ? 1 : 0;
      if (count > 0) counts.push_back(count);
    }
    return counts;
  }

  /// How long a publish waits that comes just after another.
  std::int64_t rest(std::size_t company) {
    for (std::size_t i = 0; i < company; ++i) publish("x");
    std::int64_t waited = 0;
    for (; frames().empty() && waited < kSecond; waited += 100 * kMicrosecond) {
      world.advance(100 * kMicrosecond);
    }
    for (FakePeer* const peer : subscribers_) peer->keep_up();
    return waited;
  }

  std::vector<FakePeer*> subscribers_;
  FakePeer& alice_ = join("alice");
};

TEST_F(TopicsCompanyTest, OneAfterAPauseGoesAtOnce) {
  gather(20);
  publish("one");
  EXPECT_THAT(frames(), testing::ElementsAre(1));
}

TEST_F(TopicsCompanyTest, WhatFollowsATurnToManyGoesTogether) {
  gather(20);
  publish("one");
  (void)frames();
  for (int i = 0; i < 5; ++i) publish("more");
  EXPECT_THAT(frames(), testing::IsEmpty());
  world.advance(20 * 20 * kMicrosecond);
  EXPECT_THAT(frames(), testing::ElementsAre(5));
}

TEST_F(TopicsCompanyTest, TheEndOfARestIsADeadline) {
  gather(20);
  publish("one");
  (void)frames();
  publish("more");
  EXPECT_LE(world.router().next_deadline(), world.now().steady_ns + 500 * kMicrosecond);
}

TEST_F(TopicsCompanyTest, WithFewSubscribersNothingWaits) {
  gather(7);
  publish("one");
  publish("two");
  EXPECT_THAT(frames(), testing::ElementsAre(1, 1));
}

TEST_F(TopicsCompanyTest, WhatIsFullDoesNotWait) {
  gather(20);
  publish("one");
  (void)frames();
  const std::string large(20'000, 'x');
  for (int i = 0; i < 14; ++i) publish(large);
  EXPECT_THAT(frames(), testing::ElementsAre(testing::Ge(12U)));
  EXPECT_EQ(world.router().accounting().held, 15U * 20U) << "nothing was taken yet";
}

TEST_F(TopicsCompanyTest, RestsAreLongerTheMoreComesMeanwhileAndShortAgainAfterwards) {
  gather(20);
  publish("one");
  (void)frames();
  const std::int64_t first = rest(1);
  EXPECT_LE(first, 500 * kMicrosecond);
  std::int64_t last = 0;
  for (int i = 0; i < 10; ++i) last = rest(40);
  EXPECT_GT(last, 20 * kMillisecond);
  EXPECT_LE(last, 25 * kMillisecond);
  (void)rest(1);
  EXPECT_LE(rest(1), 500 * kMicrosecond);
}

TEST_F(TopicsCompanyTest, FramesOfOneMakerAreGatheredForMany) {
  gather(20);
  publish("one");
  (void)frames();
  // Each a frame that a single subscriber would get as it is.
  for (int i = 0; i < 3; ++i) publish(std::string(10'000, 'x'));
  world.advance(20 * 20 * kMicrosecond);
  EXPECT_THAT(frames(), testing::ElementsAre(3));
}

}  // namespace
}  // namespace zpost::core::test
