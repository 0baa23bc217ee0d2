// A replayed envelope's end compared with the recorded one.
#include "tools/inspect/replay_compare.h"

#include <gtest/gtest.h>

namespace zpost::inspect {
namespace {

ReplayBody body(std::string_view text, std::string type = "") {
  const Bytes bytes = as_bytes(text);
  return {{bytes.begin(), bytes.end()}, false, std::move(type)};
}

ReplayItem request(std::string_view reply) {
  ReplayItem made{.kind = Kind::kRequest, .to = "bob"};
  made.outcome = Outcome::kDelivered;
  made.replies.push_back({.body = body(reply)});
  return made;
}

ReplayedEnd answered(std::string_view reply) {
  return {Outcome::kDelivered, "", {{body(reply)}}};
}

BodyRules exact() {
  return {.by_value = false, .most_places = kMaxReplayDifferences};
}

Comparison compared(const ReplayItem& item, const ReplayedEnd& now, Part part = Part::kReal) {
  return compare(item, now, part, exact());
}

TEST(ReplayCompareTest, TheSameReplyIsNoDifference) {
  const Comparison found = compared(request("42"), answered("42"));
  EXPECT_TRUE(found.differences.empty());
  EXPECT_EQ(found.not_compared, "");
}

TEST(ReplayCompareTest, AnotherTextIsShownAsItWasAndAsItIs) {
  const Comparison found = compared(request("42"), answered("43"));
  ASSERT_EQ(found.differences.size(), 1U);
  EXPECT_EQ(found.differences[0].what, "body");
  EXPECT_EQ(found.differences[0].recorded, "\"42\"");
  EXPECT_EQ(found.differences[0].now, "\"43\"");
}

TEST(ReplayCompareTest, OfJsonTheValuesThatDifferAreNamed) {
  const Comparison found = compared(request(R"({"a":{"n":[1,2]},"b":true})"),
                                    answered(R"({"a":{"n":[1,3,4]},"c":null})"));
  ASSERT_EQ(found.differences.size(), 4U);
  EXPECT_EQ(found.differences[0].what, "body.a.n[1]");
  EXPECT_EQ(found.differences[0].recorded, "2");
  EXPECT_EQ(found.differences[0].now, "3");
  EXPECT_EQ(found.differences[1].what, "body.a.n[2]");
  EXPECT_EQ(found.differences[2].what, "body.b");
  EXPECT_EQ(found.differences[2].now, "-");
  EXPECT_EQ(found.differences[3].what, "body.c");
  EXPECT_EQ(found.differences[3].recorded, "-");
}

TEST(ReplayCompareTest, AnIgnoredFieldMayDifferAndOthersMayNot) {
  BodyRules rules = exact();
  ASSERT_TRUE(rules.ignore("body.time"));
  ASSERT_TRUE(rules.ignore("items.id"));
  const ReplayItem item = request(R"({"time":1,"items":[{"id":1,"n":5}]})");
  EXPECT_TRUE(compare(item, answered(R"({"time":2,"items":[{"id":9,"n":5}]})"), Part::kReal, rules)
                  .differences.empty());
  const Comparison found =
      compare(item, answered(R"({"items":[{"id":9,"n":6}]})"), Part::kReal, rules);
  ASSERT_EQ(found.differences.size(), 1U);
  EXPECT_EQ(found.differences[0].what, "body.items[0].n");
  EXPECT_FALSE(rules.ignore("body."));
}

TEST(ReplayCompareTest, TheSameValuesInOtherBytesAreADifferenceUnlessValuesCount) {
  const ReplayItem item = request(R"({"a":1})");
  EXPECT_EQ(compared(item, answered(R"({"a": 1})")).differences.size(), 1U);
  BodyRules by_value = exact();
  by_value.by_value = true;
  EXPECT_TRUE(compare(item, answered(R"({"a": 1})"), Part::kReal, by_value).differences.empty());
}

TEST(ReplayCompareTest, NoReplyWhereThereWasOneIsADifferentOutcome) {
  const Comparison found = compared(request("42"), {Outcome::kNoPeer, "", {}});
  ASSERT_EQ(found.differences.size(), 1U);
  EXPECT_EQ(found.differences[0].what, "outcome");
  EXPECT_EQ(found.differences[0].recorded, "answered \"42\"");
  EXPECT_NE(found.differences[0].now.find("no-peer"), std::string::npos);
}

TEST(ReplayCompareTest, ANoInPlaceOfAnAnswerIsADifferentOutcome) {
  ReplayedEnd now = answered("not today");
  now.replies[0].rejected = true;
  const Comparison found = compared(request("42"), now);
  ASSERT_EQ(found.differences.size(), 1U);
  EXPECT_EQ(found.differences[0].what, "outcome");
  EXPECT_EQ(found.differences[0].now, "rejected: \"not today\"");
}

TEST(ReplayCompareTest, TheContentTypeAndTheNumberOfRepliesMatter) {
  ReplayedEnd now{Outcome::kDelivered, "", {{body("42", "text/plain")}, {body("43")}}};
  const Comparison found = compared(request("42"), now);
  ASSERT_EQ(found.differences.size(), 2U);
  EXPECT_EQ(found.differences[0].what, "replies");
  EXPECT_EQ(found.differences[1].what, "content type");
  EXPECT_EQ(found.differences[1].recorded, "none");
}

TEST(ReplayCompareTest, ACutReplyIsComparedAsFarAsItIsThere) {
  ReplayItem item = request("4");
  item.replies[0].cut = true;
  const Comparison found = compared(item, answered("43"));
  EXPECT_TRUE(found.differences.empty());
  EXPECT_NE(found.not_compared, "");
  EXPECT_EQ(compared(item, answered("5")).differences.size(), 1U);
}

TEST(ReplayCompareTest, OfARedactedReplyWhatIsNotHiddenIsCompared) {
  ReplayItem item = request(R"({"user":"[redacted]","n":1})");
  item.replies[0].redacted = true;
  const Comparison same = compared(item, answered(R"({"user":"ann","n":1})"));
  EXPECT_TRUE(same.differences.empty());
  EXPECT_NE(same.not_compared, "");
  EXPECT_EQ(compared(item, answered(R"({"user":"ann","n":2})")).differences.size(), 1U);
}

TEST(ReplayCompareTest, ASendIsComparedByItsOutcome) {
  ReplayItem item{.kind = Kind::kSend, .to = "bob"};
  item.outcome = Outcome::kDelivered;
  EXPECT_TRUE(compared(item, {Outcome::kDelivered, "", {}}).differences.empty());
  EXPECT_EQ(compared(item, {Outcome::kUnconfirmed, "", {}}).differences.size(), 1U);
  EXPECT_EQ(compared(item, {.text = "no outcome within 10s"}).differences.size(), 1U);
}

TEST(ReplayCompareTest, WhoIsStoodInForNeedNotAcknowledgeAsTheRealOneDid) {
  ReplayItem item{.kind = Kind::kSend, .to = "bob"};
  item.outcome = Outcome::kUnconfirmed;
  EXPECT_TRUE(compared(item, {Outcome::kDelivered, "", {}}, Part::kStoodIn).differences.empty());
  item.outcome = Outcome::kLost;
  EXPECT_NE(compared(item, {Outcome::kDelivered, "", {}}, Part::kStoodIn).not_compared, "");
}

TEST(ReplayCompareTest, ADeadlineThatPassedIsTheSameWhoeverSaysSo) {
  ReplayItem item{.kind = Kind::kRequest, .to = "bob"};
  item.outcome = Outcome::kExpired;
  EXPECT_TRUE(compared(item, {Outcome::kTimedOut, "", {}}).differences.empty());
}

TEST(ReplayCompareTest, HowManySubscribersTookAPublishIsCompared) {
  ReplayItem item{.kind = Kind::kPublish, .to = "lab/oven", .queues = 2};
  item.outcome = Outcome::kDelivered;
  EXPECT_TRUE(compared(item, {.outcome = Outcome::kDelivered, .queues = 2}).differences.empty());
  const Comparison found = compared(item, {.outcome = Outcome::kDelivered, .queues = 1});
  ASSERT_EQ(found.differences.size(), 1U);
  EXPECT_EQ(found.differences[0].what, "subscribers");
  EXPECT_EQ(found.differences[0].recorded, "2");
  EXPECT_EQ(found.differences[0].now, "1");
}

TEST(ReplayCompareTest, WhoStandsInCanLoseARequestByLeavingAsTheRealOneDid) {
  ReplayItem item{.kind = Kind::kRequest, .to = "bob", .recipient_left = true};
  item.outcome = Outcome::kLost;
  const Comparison lost = compared(item, {.outcome = Outcome::kLost}, Part::kStoodIn);
  EXPECT_TRUE(lost.differences.empty());
  EXPECT_EQ(lost.not_compared, "");
  EXPECT_EQ(compared(item, answered("42"), Part::kStoodIn).differences.size(), 1U);
}

TEST(ReplayCompareTest, WhatWasCancelledIsCancelledAgain) {
  ReplayItem item{.kind = Kind::kRequest, .to = "bob"};
  item.outcome = Outcome::kCancelled;
  const Comparison same = compared(item, {.outcome = Outcome::kCancelled});
  EXPECT_TRUE(same.differences.empty());
  EXPECT_EQ(same.not_compared, "");
  EXPECT_EQ(compared(item, answered("42")).differences.size(), 1U);
  EXPECT_NE(compared(item, {.sender_left = true}).not_compared, "");
}

TEST(ReplayCompareTest, WhatTheCaptureDoesNotKnowIsNotCompared) {
  const ReplayItem item{.kind = Kind::kSend, .to = "bob"};
  const Comparison found = compared(item, {Outcome::kNoPeer, "", {}});
  EXPECT_TRUE(found.differences.empty());
  EXPECT_NE(found.not_compared, "");
}

}  // namespace
}  // namespace zpost::inspect
