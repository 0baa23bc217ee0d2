// Publishing and subscribing without a socket: accounts, outcomes, what is said again.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/peer/state_fixture.h"

namespace zpost::peer {
namespace {

class TopicsStateTest : public StateTest {
 protected:
  using StateTest::StateTest;

  std::optional<std::uint64_t> publish(std::string_view topic, std::string_view body = "x",
                                       std::uint64_t wanted = 0) {
    Draft draft{.kind = Kind::kPublish, .to = topic, .body = as_bytes(body), .meta = {}};
    draft.meta.wanted = wanted;
    EXPECT_FALSE(state_.invalid(draft));
    return state_.try_send(draft);
  }

  static EnvelopeFields published(std::string_view topic, std::uint64_t id) {
    return {Kind::kPublish, topic, "bob", id, {}, as_bytes("x"), false};
  }

  /// The ids of what was said of `kind` so far.
  std::vector<std::uint64_t> ids_of(Kind kind) const {
    std::vector<std::uint64_t> ids;
    for (std::size_t i = 0; i < sink_.sent.size(); ++i) {
      if (sink_.sent[i].first == kind) ids.push_back(sink_.ids[i]);
    }
    return ids;
  }

  /// The kinds that went out from the `from`-th envelope on, control but for these left out.
  std::vector<Kind> order_of(std::size_t from, std::vector<Kind> kinds) const {
    std::vector<Kind> order;
    for (std::size_t i = from; i < sink_.sent.size(); ++i) {
      if (std::ranges::count(kinds, sink_.sent[i].first) > 0) order.push_back(sink_.sent[i].first);
    }
    return order;
  }
};

TEST_F(TopicsStateTest, AllTopicsShareOnePairLimitAndOneReceipt) {
  Welcome welcome;
  welcome.credit = 1'000'000;
  welcome.pair = 200;
  be_welcomed(welcome);
  ASSERT_TRUE(publish("a/b"));
  ASSERT_TRUE(publish("a/c"));
  EXPECT_FALSE(publish("a/d")) << "over the pair limit of all topics";
  EXPECT_TRUE(send("bob")) << "which is nobody else's";
  hear(Kind::kReceipt, encode(Receipt{1'000'000, 200, {{"**", 101, false}}}));
  EXPECT_EQ(state_.statistics().delivered, 2u);
  EXPECT_TRUE(publish("a/d"));
}

TEST_F(TopicsStateTest, ManyTopicsInTurnKeepTheirNames) {
  be_welcomed(100'000'000);
  std::vector<std::string> topics;
  for (int i = 0; i < 3'000; ++i) topics.push_back("topic/" + std::to_string(i % 1'500));
  for (const std::string& topic : topics) ASSERT_TRUE(publish(topic));
  std::vector<std::string> said;
  for (std::size_t i = 0; i < sink_.sent.size(); ++i) {
    if (sink_.sent[i].first == Kind::kPublish) said.push_back(sink_.recipients[i]);
  }
  EXPECT_EQ(said, topics);
}

TEST_F(TopicsStateTest, ACountThatWasWantedIsReported) {
  be_welcomed();
  const auto id = publish("news", "x", kWantCount);
  hear_outcome(*id, {.code = Outcome::kDelivered, .recipient = "**", .count = 3});
  hear(Kind::kReceipt, encode(Receipt{1'000'000, 1'000'000, {{"**", *id, false}}}));
  const auto report = state_.reports().next();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->to, "news");
  EXPECT_EQ(report->outcome, Outcome::kDelivered);
  EXPECT_EQ(report->count, 3u);
  EXPECT_FALSE(state_.reports().next());
  EXPECT_EQ(state_.statistics().delivered, 1u);
  EXPECT_EQ(state_.unsettled(), 0u);
}

TEST_F(TopicsStateTest, AFailureNamesTheTopic) {
  be_welcomed();
  ASSERT_TRUE(publish("other"));
  const auto id = publish("lab/door", "x", kWantSubscriber);
  hear_outcome(*id, {.code = Outcome::kNoSubscriber, .recipient = "**"});
  const auto report = state_.reports().next();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->to, "lab/door");
  EXPECT_EQ(report->outcome, Outcome::kNoSubscriber);
}

TEST_F(TopicsStateTest, ASubscriptionComesBeforeWhatIsPublishedAfterIt) {
  be_welcomed();
  const std::size_t before = sink_.sent.size();
  ASSERT_TRUE(publish("a"));
  state_.subscribe({.pattern = "a"});
  ASSERT_TRUE(publish("a"));
  EXPECT_EQ(order_of(before, {Kind::kPublish, Kind::kSubscribe}),
            (std::vector{Kind::kPublish, Kind::kSubscribe, Kind::kPublish}));
}

TEST_F(TopicsStateTest, ANewSessionIsToldOfSubscriptionsBeforeAnythingIsSentAgain) {
  be_welcomed();
  const std::uint64_t id = state_.subscribe({.pattern = "a/*", .excludes_own = true});
  hear_outcome(id, {.code = Outcome::kDelivered});
  ASSERT_TRUE(publish("a/b"));
  state_.lost("test");
  const std::size_t before = sink_.sent.size();
  Welcome welcome;
  welcome.run = std::string(32, 'b');
  be_welcomed(welcome);
  EXPECT_EQ(order_of(before, {Kind::kPublish, Kind::kSubscribe}),
            (std::vector{Kind::kSubscribe, Kind::kPublish}));
  const std::string body = sink_.bodies(Kind::kSubscribe).back();
  const auto again = decode_subscribe(as_bytes(body));
  EXPECT_EQ(again->pattern, "a/*");
  EXPECT_TRUE(again->excludes_own);
  EXPECT_FALSE(state_.interests_settled()) << "its answer is not there yet";
}

TEST_F(TopicsStateTest, AResumedSessionIsToldOnlyWhatItHasNotAnswered) {
  be_welcomed();
  const std::uint64_t known = state_.subscribe({.pattern = "known"});
  hear_outcome(known, {.code = Outcome::kDelivered});
  const std::uint64_t open = state_.subscribe({.pattern = "open"});
  state_.lost("test");
  Welcome welcome;
  welcome.resumed = true;
  welcome.outcomes = 1;
  be_welcomed(welcome);
  EXPECT_EQ(ids_of(Kind::kSubscribe), (std::vector{known, open, open}));
}

TEST_F(TopicsStateTest, WhatWasEndedIsNotSaidAgainToANewSession) {
  be_welcomed();
  state_.subscribe({.pattern = "a"});
  state_.unsubscribe("a");
  state_.lost("test");
  be_welcomed();
  EXPECT_EQ(sink_.bodies(Kind::kSubscribe).size(), 1u);
  EXPECT_EQ(sink_.bodies(Kind::kUnsubscribe).size(), 1u);
  EXPECT_TRUE(state_.interests_settled());
}

TEST_F(TopicsStateTest, ARefusedSubscriptionIsReportedAndForgotten) {
  be_welcomed();
  const std::uint64_t id = state_.subscribe({.pattern = "a/**"});
  hear_outcome(id, {.code = Outcome::kFull, .text = "limits.subscriptions"});
  const auto report = state_.reports().next();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->id, id);
  EXPECT_EQ(report->to, "a/**");
  EXPECT_EQ(report->outcome, Outcome::kFull);
  EXPECT_EQ(report->text, "limits.subscriptions");
  EXPECT_EQ(state_.statistics().failed, 0u) << "it is no envelope of payload";
  state_.lost("test");
  be_welcomed();
  EXPECT_EQ(sink_.bodies(Kind::kSubscribe).size(), 1u);
}

TEST_F(TopicsStateTest, WhatIsSaidAgainIsAnsweredUnderTheIdThatTheProgramKnows) {
  state_.report_all(true);
  be_welcomed();
  const std::uint64_t id = state_.subscribe({.pattern = "a"});
  const auto answer_in_new_session = [&](Outcome outcome) {
    state_.lost("test");
    be_welcomed();
    hear_outcome(ids_of(Kind::kSubscribe).back(), {.code = outcome});
    return state_.reports().next();
  };

  const auto granted = answer_in_new_session(Outcome::kDelivered);
  ASSERT_TRUE(granted);
  EXPECT_EQ(granted->id, id);
  EXPECT_FALSE(answer_in_new_session(Outcome::kDelivered)) << "it is no news";
  const auto refused = answer_in_new_session(Outcome::kFull);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->id, id);
}

TEST_F(TopicsStateTest, PublishesAndWhatIsSentOutOfOrderAreNoRepetitions) {
  be_welcomed();
  hear(Kind::kSend, as_bytes("direct"), "bob", 50);
  hear(published("a", 20));
  hear(published("b", 10));
  EnvelopeFields will{Kind::kSend, "alice", "bob", 5, {}, as_bytes("gone"), false};
  will.meta.will = true;
  hear(will);
  hear(Kind::kSend, as_bytes("repeated"), "bob", 50);
  std::vector<std::uint64_t> ids;
  while (const auto message = receive()) ids.push_back(message->id);
  EXPECT_EQ(ids, (std::vector<std::uint64_t>{50, 20, 10, 5}));
  EXPECT_EQ(state_.statistics().dropped_duplicates, 1u);
}

TEST_F(TopicsStateTest, APublishComesWithItsTopicAndWhetherItIsRetained) {
  be_welcomed();
  EnvelopeFields fields = published("lab/door", 7);
  fields.meta.retained = true;
  hear(fields);
  const auto message = receive();
  ASSERT_TRUE(message);
  EXPECT_EQ(message->kind, Kind::kPublish);
  EXPECT_EQ(message->to, "lab/door");
  EXPECT_EQ(message->from, "bob");
  EXPECT_TRUE(message->retained);
  EXPECT_EQ(message->gap, 0u);
}

TEST_F(TopicsStateTest, AGapMarkStandsWhereSomethingIsMissing) {
  be_welcomed();
  hear(published("a", 1));
  hear(Kind::kGap, encode(Gap{12}));
  hear(published("a", 14));
  EXPECT_EQ(receive()->kind, Kind::kPublish);
  const auto gap = receive();
  EXPECT_EQ(gap->kind, Kind::kGap);
  EXPECT_EQ(gap->gap, 12u);
  EXPECT_TRUE(gap->body.empty()) << "nobody reads it as a message";
  EXPECT_EQ(receive()->id, 14u);
}

}  // namespace
}  // namespace zpost::peer
