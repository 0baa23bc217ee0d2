// Filters judge a request together with what became of it.
#include "tools/inspect/exchange_choice.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/tools/inspect/lines.h"
#include "zpost/protocol/kinds.h"

namespace zpost::inspect {
namespace {

class ExchangeChoiceTest : public testing::Test {
 protected:
  void ask(std::string_view body) {
    TailLine asked = line_at(0, TapEvent::kReceived, Kind::kCall, "alice", "@up", 7);
    asked.envelope = ShownEnvelope{.body = as_bytes(body)};
    add(asked);
    TailLine given = line_at(0, TapEvent::kAssigned, Kind::kCall, "alice", "srv", 7);
    given.attempt = 1;
    add(given);
  }

  void answer(std::string_view body, bool rejects) {
    TailLine end = line_at(20, TapEvent::kAnswered, Kind::kCall, "alice", "srv", 7);
    end.reply_id = 9;
    add(end);
    TailLine reply = line_at(20, TapEvent::kReceived, Kind::kReply, "srv", "alice", 9);
    reply.envelope = ShownEnvelope{.in_reply_to = 7, .rejected = rejects, .body = as_bytes(body)};
    add(reply);
  }

  void expire() {
    TailLine end = line_at(500, TapEvent::kAnswered, Kind::kCall, "alice", "srv", 7);
    end.outcome = Outcome::kExpired;
    add(end);
  }

  void add(const TailLine& one) { pairs_.add(one, true, done_); }

  [[nodiscard]] bool wants(const std::string& text) const {
    const auto filter = filter::Filter::compile(text);
    EXPECT_TRUE(filter.has_value()) << text;
    EXPECT_EQ(done_.size(), 1U);
    const Exchange& exchange = done_.front();
    ExchangeLines lines;
    if (exchange.request) lines.request = exchange.request->line();
    if (exchange.reply) lines.reply = exchange.reply->line();
    return wants_exchange(*filter, exchange, lines);
  }

  ExchangePairs pairs_;
  std::vector<Exchange> done_;
};

TEST_F(ExchangeChoiceTest, AReplyThatSaysNoIsTheOutcomeOfItsRequest) {
  ask("{\"a\": 1}");
  answer("no such thing", true);
  EXPECT_TRUE(wants("outcome = rejected"));
  EXPECT_TRUE(wants("rejected"));
  EXPECT_FALSE(wants("outcome = delivered"));
  EXPECT_FALSE(wants("not outcome = rejected"));
}

TEST_F(ExchangeChoiceTest, AnAnsweredRequestIsDelivered) {
  ask("x");
  answer("y", false);
  EXPECT_TRUE(wants("outcome = delivered"));
  EXPECT_FALSE(wants("outcome = rejected"));
}

TEST_F(ExchangeChoiceTest, TestsMayHoldOfDifferentPartsOfIt) {
  ask("{\"a\": 1}");
  answer("{\"b\": 2}", false);
  EXPECT_TRUE(wants("body.a = 1 and body.b = 2 and kind = call and from = srv"));
  EXPECT_TRUE(wants("service = up and to = srv and attempt = 1"));
  EXPECT_TRUE(wants("latency > 19ms and latency < 21ms"));
  EXPECT_FALSE(wants("not body.b"));
  EXPECT_TRUE(wants("not body.c"));
  EXPECT_FALSE(wants("body.a = 2 or from = bob"));
}

TEST_F(ExchangeChoiceTest, ADeadlineThatPassedIsFoundWithTheBodyOfItsRequest) {
  ask("{\"a\": 1}");
  expire();
  EXPECT_TRUE(wants("outcome = expired and body.a = 1 and event = failed"));
  EXPECT_FALSE(wants("kind = reply"));
  EXPECT_TRUE(wants("not kind = reply"));
}

TEST_F(ExchangeChoiceTest, OfARequestThatWasNotSeenTheBodyIsUnknown) {
  expire();
  EXPECT_TRUE(wants("from = alice and outcome = expired"));
  EXPECT_FALSE(wants("body.a"));
  EXPECT_FALSE(wants("not body.a"));
}

}  // namespace
}  // namespace zpost::inspect
