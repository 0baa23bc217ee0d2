// What top knows: its tables, from tap lines and the broker's own words.
#include "tools/inspect/top_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/tools/inspect/times.h"
#include "tools/inspect/top_columns.h"
#include "zpost/protocol/kinds.h"

namespace zpost::inspect {
namespace {

using peer::Peer;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class TopModelTest : public testing::Test {
 protected:
  TopModelTest() { model_.turn(kStart); }

  TailLine line(TapEvent event, Kind kind, const std::string& from, const std::string& to,
                std::uint64_t count = 1) {
    return {.event = event,
            .time_ns = now_,
            .from = from,
            .to = to,
            .kind_number = static_cast<std::uint8_t>(kind),
            .first_id = 100,
            .last_id = 100 + count - 1,
            .count = count};
  }

  void apply(const TailLine& line) {
    model_.learn(line);
    model_.apply(line);
  }

  void pass_a_second() {
    now_ += kSecond;
    model_.turn(now_);
  }

  static Peer::PeerInfo info(const std::string& name, std::uint64_t queued = 0,
                             std::uint64_t unacked = 0) {
    Peer::PeerInfo info;
    info.name = name;
    info.state = "active";
    info.queued = queued;
    info.unacked = unacked;
    info.acks = true;
    return info;
  }

  [[nodiscard]] const TopRow& row(TopTab tab, const std::string& name) const {
    static const TopRow kNone;
    const TopRow* const found = model_.find(tab, name);
    EXPECT_NE(found, nullptr) << name;
    return found == nullptr ? kNone : *found;
  }

  std::uint64_t now_ = kStart;
  TopModel model_;
};

TEST_F(TopModelTest, APeersRatesAreThoseOfTheLatestSecond) {
  apply(line(TapEvent::kReceived, Kind::kSend, "alice", "bob", 7));
  apply(line(TapEvent::kDelivered, Kind::kSend, "alice", "bob", 5));
  EXPECT_EQ(row(TopTab::kPeers, "alice").in.rate(), 0u);
  pass_a_second();
  EXPECT_EQ(row(TopTab::kPeers, "alice").in.rate(), 7u);
  EXPECT_EQ(row(TopTab::kPeers, "bob").out.rate(), 5u);
  EXPECT_EQ(model_.in().rate(), 7u);
  pass_a_second();
  EXPECT_EQ(row(TopTab::kPeers, "alice").in.rate(), 0u);
}

TEST_F(TopModelTest, TheBrokersOwnRatesCountUnlessSomethingIsFiltered) {
  Peer::PeerInfo alice = info("alice");
  alice.sent_rate = 1'000;
  apply(line(TapEvent::kReceived, Kind::kSend, "alice", "bob", 7));
  model_.apply({alice}, now_);
  pass_a_second();
  EXPECT_EQ(row(TopTab::kPeers, "alice").in.rate(), 1'000u);

  model_.restart(true);
  apply(line(TapEvent::kReceived, Kind::kSend, "alice", "bob", 7));
  model_.apply({alice}, now_);
  pass_a_second();
  EXPECT_EQ(row(TopTab::kPeers, "alice").in.rate(), 7u);
}

TEST_F(TopModelTest, LatenciesBelongToWhoeverTakes) {
  TailLine delivered = line(TapEvent::kDelivered, Kind::kSend, "alice", "bob", 99);
  delivered.latency_ns = 2 * kMs;
  apply(delivered);
  delivered.count = 1;
  delivered.latency_ns = 80 * kMs;
  apply(delivered);
  const LatencyWindow& of_bob = row(TopTab::kPeers, "bob").latencies;
  EXPECT_NEAR(static_cast<double>(*of_bob.quantile(0.5)), 2e6, 2e6 / 8);
  EXPECT_NEAR(static_cast<double>(*of_bob.quantile(0.99)), 2e6, 2e6 / 8);
  EXPECT_NEAR(static_cast<double>(*of_bob.quantile(1)), 80e6, 80e6 / 8);
}

TEST_F(TopModelTest, LatenciesAreForgottenAfterTenSeconds) {
  TailLine delivered = line(TapEvent::kDelivered, Kind::kSend, "alice", "bob");
  delivered.latency_ns = kMs;
  apply(delivered);
  for (int i = 0; i < 5; ++i) pass_a_second();
  EXPECT_TRUE(row(TopTab::kPeers, "bob").latencies.quantile(0.5));
  for (int i = 0; i < 5; ++i) pass_a_second();
  EXPECT_FALSE(row(TopTab::kPeers, "bob").latencies.quantile(0.5));
}

TEST_F(TopModelTest, ATopicKnowsItsPublishesQueuesAndCopies) {
  apply(line(TapEvent::kReceived, Kind::kPublish, "alice", "lab/oven"));
  TailLine forwarded = line(TapEvent::kForwarded, Kind::kPublish, "alice", "lab/oven");
  forwarded.queues = 3;
  apply(forwarded);
  pass_a_second();
  const TopRow& topic = row(TopTab::kTopics, "lab/oven");
  EXPECT_EQ(topic.in.rate(), 1u);
  EXPECT_EQ(topic.out.rate(), 3u);
  EXPECT_EQ(topic.members, 3u);
}

TEST_F(TopModelTest, AServiceCountsCallsAnswersAndWorkers) {
  apply(line(TapEvent::kReceived, Kind::kCall, "alice", "@shout"));
  TailLine answered = line(TapEvent::kAnswered, Kind::kCall, "alice", "worker");
  answered.reply_id = 5;
  answered.latency_ns = kMs;
  apply(answered);
  Peer::PeerInfo worker = info("worker");
  worker.offers = {"shout"};
  model_.apply({worker}, now_);
  pass_a_second();
  const TopRow& service = row(TopTab::kServices, "shout");
  EXPECT_EQ(service.in.rate(), 1u);
  EXPECT_EQ(service.out.rate(), 1u);
  EXPECT_EQ(service.members, 1u);
  EXPECT_TRUE(service.latencies.quantile(0.5));
}

TEST_F(TopModelTest, FailuresCountByOutcomeForSenderAndTopic) {
  apply(line(TapEvent::kReceived, Kind::kPublish, "alice", "lab/oven"));
  TailLine failed = line(TapEvent::kFailed, Kind::kPublish, "alice", "carol");
  failed.outcome = Outcome::kFull;
  apply(failed);
  failed.outcome = Outcome::kNoPeer;
  failed.count = 2;
  apply(failed);
  const TopRow& alice = row(TopTab::kPeers, "alice");
  EXPECT_EQ(alice.failures, 3u);
  EXPECT_EQ(alice.failures_by.at(Outcome::kNoPeer), 2u);
  EXPECT_EQ(row(TopTab::kTopics, "lab/oven").failures, 3u);
}

TEST_F(TopModelTest, ADeepQueueIsASlowConsumer) {
  model_.apply({info("bob", 999), info("carol", 1'000)}, now_);
  EXPECT_THAT(slowness(row(TopTab::kPeers, "bob"), now_), IsEmpty());
  EXPECT_THAT(slowness(row(TopTab::kPeers, "carol"), now_), HasSubstr("1,000 envelopes wait"));
}

TEST_F(TopModelTest, ABacklogThatGrowsForFiveSecondsIsASlowConsumer) {
  for (std::uint64_t i = 0; i < 5; ++i) model_.apply({info("bob", 0, 10 + i)}, now_);
  EXPECT_THAT(slowness(row(TopTab::kPeers, "bob"), now_), IsEmpty());
  model_.apply({info("bob", 0, 15)}, now_);
  EXPECT_THAT(slowness(row(TopTab::kPeers, "bob"), now_), HasSubstr("grows: 15 envelopes"));
  model_.apply({info("bob", 0, 3)}, now_);
  EXPECT_THAT(slowness(row(TopTab::kPeers, "bob"), now_), IsEmpty());
}

TEST_F(TopModelTest, WhoeverTakesNothingForTwoSecondsIsASlowConsumerAtOnce) {
  peer::Peer::PeerInfo bob = info("bob", 0, 3);
  bob.state = "active";
  bob.oldest_ns = now_ - kSecond;
  model_.apply({bob}, now_);
  EXPECT_THAT(slowness(row(TopTab::kPeers, "bob"), now_), IsEmpty());
  EXPECT_THAT(slowness(row(TopTab::kPeers, "bob"), now_ + kSecond),
              HasSubstr("nothing, since 2 s"));
  bob.received_rate = 1;
  model_.apply({bob}, now_);
  EXPECT_THAT(slowness(row(TopTab::kPeers, "bob"), now_ + kSecond), IsEmpty());
}

TEST_F(TopModelTest, DroppedCopiesMarkTheirSubscriberForTenSeconds) {
  apply(line(TapEvent::kDropped, Kind::kPublish, "", "carol", 4));
  EXPECT_THAT(slowness(row(TopTab::kPeers, "carol"), now_), HasSubstr("4 copies dropped"));
  EXPECT_THAT(slowness(row(TopTab::kPeers, "carol"), now_ + 10 * kSecond), IsEmpty());
}

TEST_F(TopModelTest, AStalledSenderIsOneUntilItGoesOn) {
  TailLine flow = line(TapEvent::kFlow, Kind::kSend, "alice", "bob");
  flow.flow = FlowChange::kStalled;
  apply(flow);
  EXPECT_TRUE(row(TopTab::kPeers, "alice").stalled);
  EXPECT_EQ(row(TopTab::kPeers, "alice").stalled_by, "bob");
  flow.flow = FlowChange::kGoesOn;
  apply(flow);
  EXPECT_FALSE(row(TopTab::kPeers, "alice").stalled);
}

TEST_F(TopModelTest, PeersThatLeftAreForgottenAfterAMinute) {
  model_.apply({info("alice"), info("bob")}, now_);
  for (int i = 0; i < 60; ++i) {
    model_.apply({info("bob")}, now_);
    pass_a_second();
  }
  EXPECT_NE(model_.find(TopTab::kPeers, "alice"), nullptr);
  model_.apply({info("bob")}, now_);
  pass_a_second();
  EXPECT_EQ(model_.find(TopTab::kPeers, "alice"), nullptr);
  EXPECT_NE(model_.find(TopTab::kPeers, "bob"), nullptr);
}

TEST_F(TopModelTest, AFullTableForgetsTheLeastActive) {
  apply(line(TapEvent::kReceived, Kind::kPublish, "alice", "the/oldest"));
  for (std::size_t i = 1; i < TopModel::kMaxRows; ++i) {
    now_ += kMs;
    apply(line(TapEvent::kReceived, Kind::kPublish, "alice", "topic/" + std::to_string(i)));
  }
  EXPECT_THAT(model_.rows(TopTab::kTopics), SizeIs(TopModel::kMaxRows));
  now_ += kMs;
  apply(line(TapEvent::kReceived, Kind::kPublish, "alice", "the/newest"));
  EXPECT_LE(model_.rows(TopTab::kTopics).size(), TopModel::kMaxRows);
  EXPECT_EQ(model_.find(TopTab::kTopics, "the/oldest"), nullptr);
  EXPECT_NE(model_.find(TopTab::kTopics, "the/newest"), nullptr);
}

TEST_F(TopModelTest, MoreBusyPeersThanFitPushTheQuietOut) {
  std::vector<Peer::PeerInfo> all;
  for (std::size_t i = 0; i < TopModel::kMaxRows + 5; ++i) {
    all.push_back(info("p" + std::to_string(i), i < 5 ? 0 : 1));
  }
  model_.apply(all, now_);
  EXPECT_THAT(model_.rows(TopTab::kPeers), SizeIs(TopModel::kMaxRows));
  EXPECT_EQ(model_.find(TopTab::kPeers, "p0"), nullptr);
}

TEST_F(TopModelTest, MissedRecordsAreCounted) {
  apply({.event = TapEvent::kMissed, .time_ns = now_, .missed = 12});
  EXPECT_EQ(model_.missed(), 12u);
}

TEST_F(TopModelTest, RowsAreOrderedByTheChosenColumn) {
  model_.apply({info("alice", 5), info("bob", 9), info("carol", 9)}, now_);
  const auto names = [this](TopOrder order) {
    std::string all;
    for (const TopRow* row : ordered_rows(model_, TopTab::kPeers, order, true)) all += row->name[0];
    return all;
  };
  constexpr std::size_t kQueued = 3;
  EXPECT_EQ(names({.column = 0}), "abc");
  EXPECT_EQ(names({.column = kQueued}), "bca");
  EXPECT_EQ(names({.column = kQueued, .reversed = true}), "acb");
  EXPECT_THAT(ordered_rows(model_, TopTab::kPeers, {}, false), IsEmpty());
}

TEST(TopNumbersTest, CountsAndSpansAreShort) {
  EXPECT_EQ(short_count(9'999), "9,999");
  EXPECT_EQ(short_count(12'345), "12.3k");
  EXPECT_EQ(short_count(999'499), "999k");
  EXPECT_EQ(short_count(999'999), "1.00M");
  EXPECT_EQ(short_span(0), "-");
  EXPECT_EQ(short_span(12'345), "12.3 µs");
  EXPECT_EQ(short_span(2'410'000'000), "2.41 s");
  EXPECT_EQ(short_span(300 * kSecond), "5 min");
}

TEST(TopNumbersTest, ACurveIsAsHighAsItsHighest) {
  EXPECT_EQ(curve({0, 1, 4, 8}), " ▁▄█");
  EXPECT_EQ(curve({0, 0}), "  ");
}

}  // namespace
}  // namespace zpost::inspect
