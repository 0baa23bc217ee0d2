#include "peer/cli/chat_model.h"

#include <gmock/gmock.h>

#include "peer/cli/chat_text.h"
#include "peer/cli/shared/text.h"

namespace zpost::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t kNow = 1'000'000'000'000'000'000;

/// A chat of alice with bob, its lines as a terminal without colours shows them, without the time.
class ChatModelTest : public testing::Test {
 protected:
  void SetUp() override { use_utf8(); }

  static std::vector<std::string> shown(const ChatLines& lines) {
    constexpr std::size_t kClock = sizeof("12:34:56");
    std::vector<std::string> texts;
    for (const ChatLine& line : lines) {
      std::string text = chat_text(line, {Palette(false)}, kNow);
      EXPECT_TRUE(text.ends_with('\n'));
      text.pop_back();
      texts.push_back(line.kind == ChatLine::Kind::kNote ? text : text.substr(kClock));
    }
    return texts;
  }

  static peer::Message message(const std::string& from, std::string_view text) {
    peer::Message message;
    message.from = from;
    message.id = 1;
    message.sent_ns = kNow;
    message.body_is_text = true;
    const Bytes bytes = as_bytes(text);
    message.body.assign(bytes.begin(), bytes.end());
    return message;
  }

  ChatModel model{"alice", "bob"};
};

TEST_F(ChatModelTest, ALineIsShownWithItsMarkWhenItsOutcomeIsKnown) {
  EXPECT_THAT(model.sent(7, {"bob", "hello"}, kNow), IsEmpty());

  EXPECT_THAT(shown(model.settled({7, "bob", Outcome::kDelivered, ""}, kNow)),
              ElementsAre("alice: hello ✓"));
  EXPECT_EQ(model.under_way(), 0U);
}

TEST_F(ChatModelTest, ALineWithoutAnOutcomeIsShownAfterAWhileAndItsOutcomeFollows) {
  (void)model.sent(7, {"bob", "hello"}, kNow);
  EXPECT_THAT(model.next_wait(), testing::Optional(kNow + ChatModel::kPatience));
  EXPECT_THAT(model.waited(kNow + ChatModel::kPatience - 1), IsEmpty());

  EXPECT_THAT(shown(model.waited(kNow + ChatModel::kPatience)), ElementsAre("alice: hello …"));
  EXPECT_EQ(model.next_wait(), std::nullopt);
  EXPECT_THAT(shown(model.settled({7, "bob", Outcome::kDelivered, ""}, kNow)),
              ElementsAre("✓ delivered: hello"));
}

TEST_F(ChatModelTest, AnAnswerNeverStandsAboveWhatItAnswers) {
  (void)model.sent(7, {"bob", "how are you?"}, kNow);

  EXPECT_THAT(shown(model.received(message("bob", "fine"), kNow)),
              ElementsAre("alice: how are you? …", "bob: fine"));
}

TEST_F(ChatModelTest, ALineToNobodyIsKeptUntilItIsRetried) {
  (void)model.sent(7, {"bob", "hello?"}, kNow);
  EXPECT_THAT(shown(model.settled({7, "bob", Outcome::kNoPeer, ""}, kNow)),
              ElementsAre(HasSubstr("hello? ✗ not delivered: nobody named bob is here — /retry")));
  EXPECT_EQ(model.undelivered(), 1U);
  EXPECT_THAT(shown(model.presence({"joined", "bob", "", "", {}}, kNow)),
              ElementsAre(HasSubstr("1 line not delivered: /retry")));

  const auto lines = model.take_undelivered();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].text, "hello?");
  EXPECT_EQ(model.undelivered(), 0U);
}

TEST_F(ChatModelTest, OnlySoManyUndeliveredLinesAreKept) {
  for (std::size_t i = 0; i < ChatModel::kMaxUndelivered + 3; ++i) {
    (void)model.not_sent({"bob", std::to_string(i)}, "no room", kNow);
  }
  const auto lines = model.take_undelivered();
  ASSERT_EQ(lines.size(), ChatModel::kMaxUndelivered);
  EXPECT_EQ(lines.front().text, "3");
}

TEST_F(ChatModelTest, TheFirstWhoWritesBecomesThePartner) {
  ChatModel open("alice", "");
  EXPECT_THAT(shown(open.received(message("carol", "hi"), kNow)),
              ElementsAre("carol: hi", HasSubstr("you talk with carol now")));
  EXPECT_EQ(open.partner(), "carol");
}

TEST_F(ChatModelTest, HowToAnswerAStrangerIsSaidOnce) {
  EXPECT_THAT(shown(model.received(message("carol", "hi"), kNow)),
              ElementsAre("carol: hi", HasSubstr("/to carol")));
  EXPECT_THAT(shown(model.received(message("carol", "again"), kNow)), ElementsAre("carol: again"));
  EXPECT_EQ(model.partner(), "bob");
}

TEST_F(ChatModelTest, ALineToSomebodyElseSaysToWhom) {
  (void)model.sent(7, {"bob", "psst"}, kNow);
  model.set_partner("carol");
  EXPECT_THAT(shown(model.settled({7, "bob", Outcome::kDelivered, ""}, kNow)),
              ElementsAre("alice → bob: psst ✓"));
}

TEST_F(ChatModelTest, ALineInARoomSaysHowManyGotIt) {
  (void)model.sent(7, {"#dev", "hello"}, kNow);
  EXPECT_THAT(shown(model.settled({7, "room/dev", Outcome::kDelivered, "", 3}, kNow)),
              ElementsAre("#dev alice: hello ✓3"));
}

TEST_F(ChatModelTest, ALineInAnEmptyRoomCanBeSaidAgain) {
  (void)model.sent(7, {"#dev", "anybody?"}, kNow);
  EXPECT_THAT(shown(model.settled({7, "room/dev", Outcome::kNoSubscriber, ""}, kNow)),
              ElementsAre("#dev alice: anybody? ✗ not delivered: nobody else is here — /retry"));
  EXPECT_EQ(model.undelivered_text("#dev"), "; 1 line not delivered: /retry sends again");
}

TEST_F(ChatModelTest, ALineInARoomThatTheBrokerTookAlongIsNotBlamedOnTheRoom) {
  (void)model.sent(7, {"#dev", "hello"}, kNow);
  EXPECT_THAT(shown(model.settled({7, "**", Outcome::kLost, ""}, kNow)),
              ElementsAre(HasSubstr("the broker was gone; it may have been heard or not")));
}

TEST_F(ChatModelTest, WhoSpeaksInARoomIsNoStranger) {
  peer::Message said = message("carol", "hi all");
  said.kind = Kind::kPublish;
  said.to = "room/dev";
  EXPECT_THAT(shown(model.received(said, kNow)), ElementsAre("#dev carol: hi all"));
  EXPECT_THAT(model.presence({"joined", "carol", "", "", {}}, kNow), IsEmpty());

  ChatModel open("alice", "");
  (void)open.received(said, kNow);
  EXPECT_EQ(open.partner(), "");
}

TEST_F(ChatModelTest, WhatIsSaidToOneselfWhileInARoomIsToldApart) {
  model.set_partner("#dev");
  EXPECT_THAT(shown(model.received(message("bob", "psst"), kNow)),
              ElementsAre("bob → you: psst", HasSubstr("/msg bob TEXT")));
}

TEST_F(ChatModelTest, WhoLeavesARoomTalksWithWhomHeTalkedBefore) {
  model.set_partner("#dev");
  model.set_partner("#ops");
  model.leave("#ops");
  EXPECT_EQ(model.partner(), "#dev");
  model.leave("#dev");
  EXPECT_EQ(model.partner(), "bob");
}

TEST_F(ChatModelTest, LeavingARoomElsewhereChangesNothingHere) {
  model.set_partner("#dev");
  model.set_partner("bob");
  model.leave("#dev");
  EXPECT_EQ(model.partner(), "bob");
}

TEST_F(ChatModelTest, OnlyTheComingAndGoingOfPartnersAndWatchedOnesIsTold) {
  EXPECT_THAT(model.presence({"joined", "eve", "", "", {}}, kNow), IsEmpty());
  EXPECT_THAT(model.here(), testing::Contains("eve"));
  model.watch("eve");
  EXPECT_THAT(shown(model.presence({"left", "eve", "", "", {}}, kNow)), ElementsAre("eve left"));
}

TEST_F(ChatModelTest, ComingAndGoingIsToldOnce) {
  model.set_here({"bob"});
  EXPECT_THAT(model.presence({"present", "bob", "", "", {}}, kNow), IsEmpty());
  EXPECT_THAT(shown(model.presence({"left", "bob", "", "goodbye", {}}, kNow)),
              ElementsAre("bob left (goodbye)"));
  EXPECT_THAT(model.presence({"left", "bob", "", "", {}}, kNow), IsEmpty());
  EXPECT_THAT(shown(model.presence({"joined", "bob", "", "", {}}, kNow)),
              ElementsAre("bob is here"));
}

TEST_F(ChatModelTest, WhatOthersWriteCannotCommandTheTerminalNorForgeALine) {
  const auto lines = shown(model.received(message("bob", "x\x1b[2J\n12:00:00 carol: hi"), kNow));
  EXPECT_THAT(lines, ElementsAre("bob: x\\e[2J\n              12:00:00 carol: hi"));
}

TEST_F(ChatModelTest, OutcomesOfOthersLinesAreNobodysBusiness) {
  EXPECT_THAT(model.settled({99, "bob", Outcome::kDelivered, ""}, kNow), IsEmpty());
}

}  // namespace
}  // namespace zpost::cli
