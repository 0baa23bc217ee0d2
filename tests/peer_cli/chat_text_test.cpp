#include "peer/cli/chat_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "peer/cli/chat_json.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/timestamps.h"

namespace zpost::cli {
namespace {

using LineKind = ChatLine::Kind;

constexpr std::uint64_t kTime = 1'767'225'600'000'000'000;

class ChatTextTest : public testing::Test {
 protected:
  void SetUp() override { use_utf8(); }

  static std::string text(const ChatLine& line, std::size_t columns = 0) {
    std::string shown = chat_text(line, {Palette(false), columns}, kTime);
    const std::string clock = local_time(kTime, kTime) + " ";
    return shown.starts_with(clock) ? shown.substr(clock.size()) : shown;
  }
};

ChatLine sent(Outcome outcome) {
  return {.kind = LineKind::kSent,
          .time_ns = kTime,
          .from = "alice",
          .to = "bob",
          .text = "hello",
          .outcome = outcome,
          .reason = outcome == Outcome::kNoPeer ? "nobody named bob is here" : ""};
}

TEST_F(ChatTextTest, ASentLineEndsInItsMark) {
  EXPECT_EQ(text(sent(Outcome::kNone)), "alice: hello …\n");
  EXPECT_EQ(text(sent(Outcome::kDelivered)), "alice: hello ✓\n");
  EXPECT_EQ(text(sent(Outcome::kNoPeer)),
            "alice: hello ✗ not delivered: nobody named bob is here — /retry\n");
}

TEST_F(ChatTextTest, AReceivedLineCannotForgeAnother) {
  const ChatLine line{.kind = LineKind::kReceived,
                      .time_ns = kTime,
                      .from = "bob",
                      .text = "hi\x1b[2J\n00:00:00 eve: x"};
  EXPECT_EQ(text(line), "bob: hi\\e[2J\n              00:00:00 eve: x\n");
}

TEST_F(ChatTextTest, ALateOutcomeQuotesItsLine) {
  ChatLine line = sent(Outcome::kDelivered);
  line.kind = LineKind::kSettled;
  EXPECT_EQ(text(line), "✓ delivered: hello\n");
  line = sent(Outcome::kNoPeer);
  line.kind = LineKind::kSettled;
  EXPECT_EQ(text(line), "hello ✗ not delivered: nobody named bob is here — /retry\n");
}

TEST_F(ChatTextTest, ALineAsideSaysToWhom) {
  ChatLine line = sent(Outcome::kDelivered);
  line.aside = true;
  EXPECT_EQ(text(line), "alice → bob: hello ✓\n");
}

TEST_F(ChatTextTest, ALineOfARoomNamesItAndIndentsBehindIt) {
  const ChatLine line{.kind = LineKind::kReceived,
                      .time_ns = kTime,
                      .from = "bob",
                      .text = "one\ntwo",
                      .room = "dev"};
  EXPECT_EQ(text(line), "#dev bob: one\n                   two\n");
}

TEST_F(ChatTextTest, InARoomTheMarkSaysHowManyOfThoseWhoAreThereHaveIt) {
  ChatLine line = sent(Outcome::kDelivered);
  line.to = "#dev";
  line.room = "dev";
  line.count = 2;
  line.people = 2;
  EXPECT_EQ(text(line), "#dev alice: hello ✓2\n");
  line.people = 3;
  EXPECT_EQ(text(line), "#dev alice: hello ✓2 of 3\n");
  line.people = 1;  // A program hears it, too.
  EXPECT_EQ(text(line), "#dev alice: hello ✓2\n");
}

TEST_F(ChatTextTest, WordsAreNotCutAtTheEdgeOfTheScreen) {
  ChatLine line = sent(Outcome::kNoPeer);
  line.text = "three little words";
  EXPECT_EQ(text(line, 30),
            "alice: three little\n"
            "          words ✗ not\n"
            "          delivered: nobody\n"
            "          named bob is here —\n"
            "          /retry\n");
  const ChatLine note{.text = "whoever writes first is who you talk with"};
  EXPECT_EQ(text(note, 30), "whoever writes first is who\n  you talk with\n");
}

TEST_F(ChatTextTest, ColoursBeginAndEndWithTheWords) {
  const std::string shown = chat_text(sent(Outcome::kDelivered), {Palette(true), 80}, kTime);
  EXPECT_TRUE(shown.ends_with(": hello \x1b[32m✓\x1b[0m\n")) << shown;
}

TEST_F(ChatTextTest, JsonOfARoomSaysRoomAndCount) {
  ChatLine line = sent(Outcome::kDelivered);
  line.to = "#dev";
  line.room = "dev";
  line.count = 3;
  const auto json = nlohmann::json::parse(chat_json(line));
  EXPECT_EQ(json["room"], "dev");
  EXPECT_EQ(json["count"], 3);
  EXPECT_FALSE(json.contains("to"));
}

TEST_F(ChatTextTest, MissedLinesAreToldInTheirRoom) {
  const ChatLine line{.kind = LineKind::kMissed,
                      .time_ns = kTime,
                      .text = "7 lines missed here",
                      .room = "dev",
                      .count = 7};
  EXPECT_EQ(text(line), "#dev 7 lines missed here\n");
  const auto json = nlohmann::json::parse(chat_json(line));
  EXPECT_EQ(json["event"], "missed");
  EXPECT_EQ(json["room"], "dev");
  EXPECT_EQ(json["count"], 7);
}

TEST_F(ChatTextTest, JsonSaysTheSame) {
  const auto json = nlohmann::json::parse(chat_json(sent(Outcome::kNoPeer)));
  EXPECT_EQ(json["event"], "sent");
  EXPECT_EQ(json["to"], "bob");
  EXPECT_EQ(json["text"], "hello");
  EXPECT_EQ(json["outcome"], "no-peer");
  EXPECT_EQ(json["reason"], "nobody named bob is here");
}

}  // namespace
}  // namespace zpost::cli
