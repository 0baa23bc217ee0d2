// What of a capture is sent again.
#include "tools/inspect/replay_plan.h"

#include <gtest/gtest.h>

#include "tests/tools/inspect/recorded_entries.h"

namespace zpost::inspect {
namespace {

std::string text_of(const ReplayBody& body) {
  return std::string(as_text(body.bytes));
}

class ReplayPlanTest : public ::testing::Test {
 protected:
  void add(const TapEntry& entry, bool redacted = false) {
    const Result<void> added = builder_.add(entry, redacted);
    ASSERT_TRUE(added) << added.error().text;
  }

  void choose(ReplayChoice choice) { builder_ = PlanBuilder(std::move(choice)); }

  ReplayPlan plan() { return builder_.finish(); }

  RecordedEntries recorded_;
  PlanBuilder builder_{ReplayChoice()};
};

TEST_F(ReplayPlanTest, WhatWasReceivedIsSentWithItsBodyAndMeta) {
  EnvelopeFields fields = recorded_fields(Kind::kCall, 7, "work");
  fields.to = "up";
  fields.body_is_text = true;
  fields.meta = {.content_type = "text/plain", .trace = "t", .idempotent = true};
  fields.meta.deadline_ns = kRecordedAt + 2500 * kRecordedMs;
  add(recorded_.received(500, fields));
  const ReplayPlan made = plan();
  ASSERT_EQ(made.items.size(), 1U);
  const ReplayItem& item = made.items[0];
  EXPECT_EQ(item.kind, Kind::kCall);
  EXPECT_EQ(made.sender_of(item), "alice");
  EXPECT_EQ(item.to, "up");
  EXPECT_EQ(text_of(item.body), "work");
  EXPECT_TRUE(item.body.is_text);
  EXPECT_EQ(item.body.content_type, "text/plain");
  EXPECT_EQ(item.trace, "t");
  EXPECT_TRUE(item.idempotent);
  EXPECT_EQ(item.deadline_ns, 2000 * kRecordedMs);
}

TEST_F(ReplayPlanTest, ARequestKnowsTheReplyItGotAndWhen) {
  add(recorded_.received(0, recorded_fields(Kind::kRequest, 7, "hello")));
  add(recorded_.ended(1, TapEvent::kDelivered, Kind::kRequest, 7, Outcome::kDelivered));
  add(recorded_.answered(2, 7, 99));
  add(recorded_.received(2, recorded_reply(99, 7, "HELLO")));
  const ReplayPlan made = plan();
  ASSERT_EQ(made.items.size(), 1U) << "replies are not sent";
  EXPECT_EQ(made.items[0].outcome, Outcome::kDelivered);
  EXPECT_EQ(made.items[0].end_ns, kRecordedAt + 2 * kRecordedMs);
  ASSERT_EQ(made.items[0].replies.size(), 1U);
  EXPECT_EQ(text_of(made.items[0].replies[0].body), "HELLO");
  EXPECT_TRUE(made.items[0].replies[0].is_whole());
}

TEST_F(ReplayPlanTest, ARequestThatWasOnlyTakenHasNoEnd) {
  add(recorded_.received(0, recorded_fields(Kind::kRequest, 7, "hello")));
  add(recorded_.ended(1, TapEvent::kDelivered, Kind::kRequest, 7, Outcome::kDelivered));
  EXPECT_EQ(plan().items[0].outcome, Outcome::kNone);
}

TEST_F(ReplayPlanTest, ASendKnowsWhetherItWasTaken) {
  add(recorded_.received(0, recorded_fields(Kind::kSend, 7, "a")));
  add(recorded_.received(0, recorded_fields(Kind::kSend, 8, "b")));
  add(recorded_.ended(1, TapEvent::kDelivered, Kind::kSend, 7, Outcome::kDelivered));
  add(recorded_.ended(1, TapEvent::kFailed, Kind::kSend, 8, Outcome::kLost));
  const ReplayPlan made = plan();
  EXPECT_EQ(made.items[0].outcome, Outcome::kDelivered);
  EXPECT_EQ(made.items[1].outcome, Outcome::kLost);
}

TEST_F(ReplayPlanTest, ABodyThatIsCutIsNamedAndNotSent) {
  TapEntry entry = recorded_.received(0, recorded_fields(Kind::kSend, 7, "a long body"));
  entry.shown = entry.shown.first(entry.shown.size() - 1);
  add(entry);
  const ReplayPlan made = plan();
  EXPECT_TRUE(made.items.empty());
  ASSERT_EQ(made.left_out.size(), 1U);
  EXPECT_EQ(made.left_out[0].why, NotSent::kCut);
  EXPECT_EQ(made.left_out[0].id, 7U);
}

TEST_F(ReplayPlanTest, ARunWithoutBodiesIsCountedWhole) {
  TapEntry entry = recorded_.received(0, recorded_fields(Kind::kSend, 7, "body"));
  entry.shown = {};
  entry.record.count = 3;
  entry.record.last_id = 9;
  add(entry);
  EXPECT_EQ(plan().not_sent.at(NotSent::kNotShown), 3U);
}

TEST_F(ReplayPlanTest, WhatIsRedactedIsNotSent) {
  add(recorded_.received(0, recorded_fields(Kind::kSend, 7, "[redacted]")), true);
  const ReplayPlan made = plan();
  EXPECT_TRUE(made.items.empty());
  EXPECT_EQ(made.not_sent.at(NotSent::kRedacted), 1U);
}

TEST_F(ReplayPlanTest, WhatTheBrokerRefusedAtOnceHasNoBody) {
  add(recorded_.ended(0, TapEvent::kFailed, Kind::kSend, 7, Outcome::kNoPeer));
  EXPECT_EQ(plan().not_sent.at(NotSent::kRefusedAtOnce), 1U);
}

TEST_F(ReplayPlanTest, MetaThatCannotBeSaidAgainIsAReasonNotToSend) {
  EnvelopeFields durable = recorded_fields(Kind::kSend, 7, "a");
  durable.meta.durable = true;
  add(recorded_.received(0, durable));
  EnvelopeFields will = recorded_fields(Kind::kSend, 8, "b");
  will.meta.will = true;
  add(recorded_.received(0, will));
  const ReplayPlan made = plan();
  EXPECT_TRUE(made.items.empty());
  EXPECT_EQ(made.not_sent.at(NotSent::kOtherMeta), 1U);
  EXPECT_EQ(made.not_sent.at(NotSent::kByBroker), 1U);
}

TEST_F(ReplayPlanTest, WhatWasSentAgainOverANewConnectionIsSentOnce) {
  add(recorded_.received(0, recorded_fields(Kind::kSend, 7, "a")));
  add(recorded_.received(9, recorded_fields(Kind::kSend, 7, "a")));
  EXPECT_EQ(plan().items.size(), 1U);
}

TEST_F(ReplayPlanTest, WhatFollowedAnAnswerWaitsForIt) {
  add(recorded_.received(0, recorded_fields(Kind::kRequest, 7, "log in")));
  add(recorded_.received(1, recorded_fields(Kind::kSend, 8, "meanwhile")));
  add(recorded_.answered(2, 7, 99));
  add(recorded_.received(2, recorded_reply(99, 7, "welcome")));
  add(recorded_.received(3, recorded_fields(Kind::kSend, 9, "then")));
  const ReplayPlan made = plan();
  EXPECT_EQ(made.items[1].after, 0U);
  EXPECT_EQ(made.items[2].after, 1U);
  EXPECT_EQ(made.senders[0].ended, std::vector<std::size_t>{0});
}

TEST_F(ReplayPlanTest, ARangeIsCountedFromTheFirstRecord) {
  choose({.start_ns = 10 * kRecordedMs, .end_ns = 20 * kRecordedMs});
  add(recorded_.received(0, recorded_fields(Kind::kSend, 1, "before")));
  add(recorded_.received(10, recorded_fields(Kind::kSend, 2, "first")));
  add(recorded_.received(19, recorded_fields(Kind::kSend, 3, "last")));
  add(recorded_.received(20, recorded_fields(Kind::kSend, 4, "behind")));
  const ReplayPlan made = plan();
  ASSERT_EQ(made.items.size(), 2U);
  EXPECT_EQ(made.items[0].id, 2U);
  EXPECT_EQ(made.items[1].id, 3U);
}

TEST_F(ReplayPlanTest, OnlyRequestsOrSoManyOrWhatAFilterSays) {
  choose({.requests_only = true});
  add(recorded_.received(0, recorded_fields(Kind::kSend, 1, "a")));
  add(recorded_.received(0, recorded_fields(Kind::kRequest, 2, "b")));
  EXPECT_EQ(plan().items.size(), 1U);
  choose({.limit = 1});
  add(recorded_.received(0, recorded_fields(Kind::kSend, 1, "a")));
  add(recorded_.received(0, recorded_fields(Kind::kSend, 2, "b")));
  EXPECT_EQ(plan().items.size(), 1U);
  choose({.filter = *filter::Filter::compile("body = b")});
  add(recorded_.received(0, recorded_fields(Kind::kSend, 1, "a")));
  add(recorded_.received(0, recorded_fields(Kind::kSend, 2, "b")));
  const ReplayPlan made = plan();
  ASSERT_EQ(made.items.size(), 1U);
  EXPECT_EQ(made.items[0].id, 2U);
}

TEST_F(ReplayPlanTest, APublishKnowsHowManyQueuesTookIt) {
  add(recorded_.received(0, recorded_fields(Kind::kPublish, 7, "a")));
  add(recorded_.ended(0, TapEvent::kForwarded, Kind::kPublish, 7, Outcome::kNoPeer));
  const ReplayPlan made = plan();
  EXPECT_EQ(made.items[0].outcome, Outcome::kDelivered);
  EXPECT_EQ(made.items[0].queues, static_cast<std::uint32_t>(Outcome::kNoPeer));
}

TEST_F(ReplayPlanTest, WhoCancelsWhenItsPatienceIsOverHasExpired) {
  EnvelopeFields patient = recorded_fields(Kind::kRequest, 7, "a");
  patient.meta.deadline_ns = kRecordedAt + 1000 * kRecordedMs;
  add(recorded_.received(0, patient));
  patient.id = 8;
  add(recorded_.received(0, patient));
  TapEntry cancelled = recorded_.answered(400, 7, 0);
  cancelled.record.code = static_cast<std::uint16_t>(Outcome::kCancelled);
  add(cancelled);
  cancelled.record.first_id = 8;
  cancelled.record.time_ns = kRecordedAt + 1001 * kRecordedMs;
  add(cancelled);
  const ReplayPlan made = plan();
  EXPECT_EQ(made.items[0].outcome, Outcome::kCancelled);
  EXPECT_EQ(made.items[1].outcome, Outcome::kExpired);
}

TEST_F(ReplayPlanTest, ALateReplyIsNoAnswer) {
  add(recorded_.received(0, recorded_fields(Kind::kRequest, 7, "hello")));
  TapEntry expired = recorded_.answered(2, 7, 0);
  expired.record.code = static_cast<std::uint16_t>(Outcome::kExpired);
  add(expired);
  add(recorded_.received(3, recorded_reply(99, 7, "late")));
  const ReplayPlan made = plan();
  EXPECT_EQ(made.items[0].outcome, Outcome::kExpired);
  EXPECT_TRUE(made.items[0].replies.empty());
}

}  // namespace
}  // namespace zpost::inspect
