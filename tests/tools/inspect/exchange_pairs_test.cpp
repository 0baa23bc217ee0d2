#include "tools/inspect/exchange_pairs.h"

#include <gtest/gtest.h>

#include "tests/tools/inspect/lines.h"
#include "tools/inspect/exchange_text.h"
#include "zpost/protocol/kinds.h"

namespace zpost::inspect {
namespace {

TailLine request(std::uint64_t id, std::string_view body, std::uint64_t ms = 0) {
  TailLine line = line_at(ms, TapEvent::kReceived, Kind::kRequest, "alice", "bob", id);
  line.envelope = ShownEnvelope{.body = as_bytes(body)};
  return line;
}

TailLine reply(std::uint64_t id, std::uint64_t to, std::string_view body, std::uint64_t ms) {
  TailLine line = line_at(ms, TapEvent::kReceived, Kind::kReply, "bob", "alice", id);
  line.envelope = ShownEnvelope{.in_reply_to = to, .body = as_bytes(body)};
  return line;
}

TailLine answered(std::uint64_t id, std::uint64_t reply_id, std::uint64_t ms) {
  TailLine line = line_at(ms, TapEvent::kAnswered, Kind::kRequest, "alice", "bob", id);
  line.reply_id = reply_id;
  return line;
}

class ExchangePairsTest : public testing::Test {
 protected:
  void add(const TailLine& line, bool wanted = true) { pairs_.add(line, wanted, done_); }

  static std::string text(const Exchange& exchange) {
    ExchangeLines lines;
    if (exchange.request) lines.request = exchange.request->line();
    if (exchange.reply) lines.reply = exchange.reply->line();
    return exchange_text(exchange, lines, cli::Palette(false), 140).substr(13);
  }

  ExchangePairs pairs_;
  std::vector<Exchange> done_;
};

TEST_F(ExchangePairsTest, ARequestIsToldWithItsReplyAndTheRoundTrip) {
  add(request(7, "how warm?"));
  add(answered(7, 9, 5));
  EXPECT_TRUE(done_.empty());
  add(reply(9, 7, "31", 5));
  ASSERT_EQ(done_.size(), 1U);
  EXPECT_EQ(done_[0].end, ExchangeEnd::kReplied);
  EXPECT_EQ(done_[0].round_trip_ns, 5 * kMs);
  EXPECT_EQ(text(done_[0]), "5 ms      alice → bob    request #7 \"how warm?\" ⇒ \"31\"\n");
  EXPECT_EQ(pairs_.open(), 0U);
}

TEST_F(ExchangePairsTest, BodiesOutliveTheTapsBody) {
  std::string body = "a body that is longer than any string keeps inside itself";
  add(request(7, body));
  body.assign(body.size(), 'x');
  pairs_.finish(done_);
  ASSERT_EQ(done_.size(), 1U);
  EXPECT_NE(text(done_[0]).find("a body that is longer"), std::string::npos);
}

TEST_F(ExchangePairsTest, OfRepliesInAStreamTheNumberAndTheFirstOnesTimeAreTold) {
  add(request(7, "count"));
  add(reply(9, 7, "one", 1));
  add(reply(10, 7, "two", 2));
  EXPECT_TRUE(done_.empty());
  add(answered(7, 11, 3));
  add(reply(11, 7, "three", 3));
  ASSERT_EQ(done_.size(), 1U);
  EXPECT_EQ(done_[0].replies, 3U);
  EXPECT_NE(text(done_[0]).find("3 replies, the first after 1 ms; the last: \"three\""),
            std::string::npos)
      << text(done_[0]);
}

TEST_F(ExchangePairsTest, ADeadlineThatPassesIsItsEnd) {
  add(request(7, "slow"));
  TailLine expired = answered(7, 0, 500);
  expired.outcome = Outcome::kExpired;
  add(expired);
  ASSERT_EQ(done_.size(), 1U);
  EXPECT_EQ(done_[0].end, ExchangeEnd::kFailed);
  EXPECT_NE(text(done_[0]).find("expired"), std::string::npos);
}

TEST_F(ExchangePairsTest, AFailureNobodySawTheRequestOfIsToldAllTheSame) {
  TailLine failed = line_at(0, TapEvent::kFailed, Kind::kRequest, "alice", "nobody", 7);
  failed.outcome = Outcome::kNoPeer;
  add(failed);
  ASSERT_EQ(done_.size(), 1U);
  EXPECT_EQ(text(done_[0]),
            "–         alice → nobody request #7 ⇒ no-peer: nobody named nobody is here\n");
}

TEST_F(ExchangePairsTest, ARunThatFailsEndsAllOfItThatWereSeen) {
  for (std::uint64_t id = 7; id < 10; ++id) add(request(id, "x"));
  TailLine failed = line_at(1, TapEvent::kFailed, Kind::kRequest, "alice", "bob", 7);
  failed.last_id = 8;
  failed.count = 2;
  failed.outcome = Outcome::kLost;
  add(failed);
  EXPECT_EQ(done_.size(), 2U);
  EXPECT_EQ(pairs_.open(), 1U);
}

TEST_F(ExchangePairsTest, WithHeadersOnlyTheReplyIsKnownByItsId) {
  TailLine asked = request(7, "");
  asked.envelope.reset();
  add(asked);
  add(answered(7, 9, 5));
  TailLine run = reply(8, 0, "", 5);
  run.envelope.reset();
  run.last_id = 10;
  run.count = 3;
  add(run);
  ASSERT_EQ(done_.size(), 1U);
  EXPECT_NE(text(done_[0]).find("⇒ #9"), std::string::npos) << text(done_[0]);
}

TEST_F(ExchangePairsTest, AReplyWhoseRecordWasMissedIsNotWaitedFor) {
  add(request(7, "x"));
  add(answered(7, 9, 5));
  add({.event = TapEvent::kMissed, .missed = 1});
  ASSERT_EQ(done_.size(), 1U);
  EXPECT_EQ(done_[0].end, ExchangeEnd::kReplied);
}

TEST_F(ExchangePairsTest, BeyondTheBoundTheOldestIsToldAsItIs) {
  for (std::uint64_t id = 1; id <= ExchangePairs::kMaxOpen + 1; ++id) add(request(id, "x"));
  ASSERT_EQ(done_.size(), 1U);
  EXPECT_EQ(done_[0].id, 1U);
  EXPECT_EQ(done_[0].end, ExchangeEnd::kForgotten);
  EXPECT_NE(text(done_[0]).find("not followed further: 4,096 are open"), std::string::npos);
}

TEST_F(ExchangePairsTest, TheBytesOfThoseOpenAreBoundedToo) {
  const std::string body(ExchangePairs::kMaxBytes / 4, 'x');
  for (std::uint64_t id = 1; id <= 6; ++id) add(request(id, body));
  EXPECT_EQ(done_.size(), 2U);
  EXPECT_EQ(pairs_.open(), 4U);
}

TEST_F(ExchangePairsTest, OneWantedLineIsEnough) {
  add(request(7, "x"), false);
  add(answered(7, 9, 5), true);
  add(reply(9, 7, "y", 5), false);
  add(request(8, "x"), false);
  pairs_.finish(done_);
  ASSERT_EQ(done_.size(), 2U);
  EXPECT_TRUE(done_[0].wanted);
  EXPECT_FALSE(done_[1].wanted);
  EXPECT_EQ(done_[1].end, ExchangeEnd::kOpen);
}

}  // namespace
}  // namespace zpost::inspect
