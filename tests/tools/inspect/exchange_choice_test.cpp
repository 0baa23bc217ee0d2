// Filters judge a request together with what became of it.
#include "tools/inspect/exchange_choice.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/tools/inspect/times.h"
#include "zpost/protocol/kinds.h"

namespace zpost::inspect {
namespace {

class ExchangeChoiceTest : public testing::Test {
 protected:
  static TailLine line(TapEvent event, Kind kind, const std::string& from, const std::string& to,
                       std::uint64_t id, std::uint64_t ms) {
    return {.event = event,
            .time_ns = (1000 + ms) * kMs,
            .from = from,
            .to = to,
            .kind_number = static_cast<std::uint8_t>(kind),
            .first_id = id,
            .last_id = id,
            .count = 1,
            .bytes = 50};
  }

  void ask(std::string_view body) {
    TailLine asked = line(TapEvent::kReceived, Kind::kCall, "alice", "@up", 7, 0);
    asked.envelope = ShownEnvelope{.body = as_bytes(body)};
    add(asked);
    TailLine given = line(TapEvent::kAssigned, Kind::kCall, "alice", "srv", 7, 0);
    given.attempt = 1;
    add(given);
  }

  void answer(std::string_view body, bool rejects) {
    TailLine end = line(TapEvent::kAnswered, Kind::kCall, "alice", "srv", 7, 20);
    end.reply_id = 9;
    add(end);
    TailLine reply = line(TapEvent::kReceived, Kind::kReply, "srv", "alice", 9, 20);
    reply.envelope = ShownEnvelope{.in_reply_to = 7, .rejected = rejects, .body = as_bytes(body)};
    add(reply);
  }

  void expire() {
    TailLine end = line(TapEvent::kAnswered, Kind::kCall, "alice", "srv", 7, 500);
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
