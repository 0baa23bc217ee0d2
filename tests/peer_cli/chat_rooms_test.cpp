#include "peer/cli/chat_rooms.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "peer/cli/chat_lists.h"
#include "peer/cli/room_names.h"
#include "peer/cli/shared/text.h"

namespace zpost::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t kRoomsNow = 1'000'000'000'000'000'000;

/// Alice, in #dev and #ops.
class ChatRoomsTest : public testing::Test {
 protected:
  void SetUp() override {
    use_utf8();
    rooms.join("dev");
    rooms.join("ops");
  }

  static ChatLine said(const std::string& room, const std::string& text) {
    return {.kind = ChatLine::Kind::kReceived, .from = "bob", .text = text, .room = room};
  }

  static std::vector<std::string> texts(const ChatLines& lines) {
    std::vector<std::string> out;
    for (const ChatLine& line : lines) {
      const bool presence = line.kind == ChatLine::Kind::kPresence;
      out.push_back(presence ? line.from + " " + line.text : line.text);
    }
    return out;
  }

  static peer::PresenceChange presence(const std::string& event, const std::string& who,
                                       const std::string& where) {
    Metadata metadata;
    if (!where.empty()) metadata[kRoomsKey] = where;
    return {.event = event, .peer = who, .metadata = metadata};
  }

  ChatRooms rooms{"alice", ChatRooms::Elsewhere::kHeld};
};

TEST_F(ChatRoomsTest, LinesOfTheRoomOneLooksAtAreShown) {
  EXPECT_THAT(texts(rooms.admit({said("dev", "hello")}, "#dev")), ElementsAre("hello"));
  EXPECT_EQ(rooms.unread("dev"), 0U);
}

TEST_F(ChatRoomsTest, LinesOfOtherRoomsWaitAndAreCounted) {
  EXPECT_THAT(rooms.admit({said("ops", "one"), said("ops", "two")}, "#dev"), IsEmpty());
  EXPECT_EQ(rooms.unread("ops"), 2U);

  EXPECT_THAT(texts(rooms.take_unread("ops", kRoomsNow)), ElementsAre("one", "two"));
  EXPECT_EQ(rooms.unread("ops"), 0U);
  EXPECT_THAT(rooms.take_unread("ops", kRoomsNow), IsEmpty());
}

TEST_F(ChatRoomsTest, WhoTalksWithAPersonSeesNoRoom) {
  EXPECT_THAT(rooms.admit({said("dev", "hello")}, "bob"), IsEmpty());
  EXPECT_EQ(rooms.unread("dev"), 1U);
}

TEST_F(ChatRoomsTest, WhatIsSaidToOneselfAndOnesOwnLinesAreAlwaysShown) {
  ChatLine own = said("ops", "mine");
  own.kind = ChatLine::Kind::kSent;
  EXPECT_THAT(texts(rooms.admit({said("", "psst"), own}, "#dev")), ElementsAre("psst", "mine"));
}

TEST_F(ChatRoomsTest, ThroughAPipeEverythingIsShown) {
  ChatRooms piped("alice", ChatRooms::Elsewhere::kShown);
  piped.join("dev");
  EXPECT_THAT(texts(piped.admit({said("dev", "hello")}, "bob")), ElementsAre("hello"));
}

TEST_F(ChatRoomsTest, OfTooManyUnreadLinesTheOldestAreDroppedAndCounted) {
  for (std::size_t i = 0; i < ChatRooms::kMaxHeld + 3; ++i) {
    (void)rooms.admit({said("ops", std::to_string(i))}, "#dev");
  }
  EXPECT_EQ(rooms.unread("ops"), ChatRooms::kMaxHeld + 3);
  const ChatLines lines = rooms.take_unread("ops", kRoomsNow);
  ASSERT_EQ(lines.size(), ChatRooms::kMaxHeld + 1);
  EXPECT_THAT(lines[0].text, HasSubstr("3 older lines dropped here: 200 unread"));
  EXPECT_EQ(lines[1].text, "3");
}

TEST_F(ChatRoomsTest, LinesThatTheBrokerDroppedAreToldInEveryRoomTheyMayBeOf) {
  EXPECT_THAT(texts(rooms.missed(7, kRoomsNow)),
              ElementsAre(HasSubstr("7 lines missed in your rooms, perhaps here"),
                          HasSubstr("7 lines missed in your rooms, perhaps here")));
  rooms.leave("ops");
  EXPECT_THAT(texts(rooms.missed(1, kRoomsNow)), ElementsAre(HasSubstr("1 line missed here")));
}

TEST_F(ChatRoomsTest, AMissedLineWaitsInItsRoomButIsNoUnreadOne) {
  EXPECT_THAT(rooms.admit(rooms.missed(7, kRoomsNow), "#dev"), testing::SizeIs(1));
  EXPECT_EQ(rooms.unread("ops"), 0U);
  EXPECT_THAT(rooms.take_unread("ops", kRoomsNow), testing::SizeIs(1));
}

TEST_F(ChatRoomsTest, LeavingForgetsWhatWasUnread) {
  (void)rooms.admit({said("ops", "one")}, "#dev");
  rooms.leave("ops");
  EXPECT_THAT(rooms.joined(), ElementsAre("dev"));
  EXPECT_EQ(rooms.unread("ops"), 0U);
  EXPECT_THAT(rooms.admit({said("ops", "late")}, "#dev"), IsEmpty());
  EXPECT_EQ(rooms.unread("ops"), 0U);
}

TEST_F(ChatRoomsTest, OthersAreSeenToJoinAndLeaveOnesOwnRooms) {
  EXPECT_THAT(texts(rooms.presence(presence("joined", "bob", "dev lobby"), kRoomsNow)),
              ElementsAre("bob joined #dev"));
  EXPECT_THAT(rooms.presence(presence("changed", "bob", "dev lobby"), kRoomsNow), IsEmpty());
  EXPECT_THAT(texts(rooms.presence(presence("changed", "bob", "ops"), kRoomsNow)),
              ElementsAre("bob left #dev", "bob joined #ops"));
  EXPECT_THAT(rooms.people("ops"), ElementsAre("bob"));
  EXPECT_THAT(texts(rooms.presence(presence("left", "bob", "ops"), kRoomsNow)),
              ElementsAre("bob left #ops"));
  EXPECT_THAT(rooms.people("ops"), IsEmpty());
}

TEST_F(ChatRoomsTest, WhoGoesOutOfAnyRoomOrAwayIsLeaving) {
  EXPECT_FALSE(rooms.is_leaving(presence("joined", "bob", "dev")));
  (void)rooms.presence(presence("joined", "bob", "dev"), kRoomsNow);
  EXPECT_FALSE(rooms.is_leaving(presence("changed", "bob", "dev")));
  EXPECT_FALSE(rooms.is_leaving(presence("changed", "bob", "dev ops")));
  EXPECT_TRUE(rooms.is_leaving(presence("changed", "bob", "ops")));
  EXPECT_TRUE(rooms.is_leaving(presence("left", "bob", "dev")));
  EXPECT_TRUE(rooms.is_leaving(presence("left", "carol", "")));
}

TEST_F(ChatRoomsTest, OneselfIsNobodyElse) {
  EXPECT_THAT(rooms.presence(presence("changed", "alice", "dev"), kRoomsNow), IsEmpty());
  EXPECT_THAT(rooms.people("dev"), IsEmpty());
}

TEST_F(ChatRoomsTest, WhoComesAndGoesInARoomOneDoesNotLookAtIsNotTold) {
  const ChatLines lines = rooms.presence(presence("joined", "bob", "ops"), kRoomsNow);
  EXPECT_THAT(rooms.admit(lines, "#dev"), IsEmpty());
  EXPECT_THAT(rooms.take_unread("ops", kRoomsNow), IsEmpty());
}

TEST_F(ChatRoomsTest, WhatOthersCallTheirRoomsCannotCommandATerminal) {
  EXPECT_THAT(rooms_in({{"rooms", "dev \x1b[2J  .. ops"}}), ElementsAre("dev", "ops"));
}

TEST_F(ChatRoomsTest, RoomsAreNamesAndTopics) {
  EXPECT_EQ(topic_of_room("dev"), "room/dev");
  EXPECT_EQ(room_of_topic("room/dev"), "dev");
  EXPECT_EQ(wrong_room_text("dev"), "");
  EXPECT_THAT(wrong_room_text("a b"), HasSubstr("\"a b\" is not a room"));
  EXPECT_THAT(wrong_room_text(std::string(65, 'x')), HasSubstr("at most 64"));
}

TEST_F(ChatRoomsTest, OfACrowdOnlySomeAreNamed) {
  EXPECT_EQ(enumerated({}), "");
  EXPECT_EQ(enumerated({"bob", "carol"}), "bob, carol");
  const std::string crowd = enumerated(std::vector<std::string>(23, "x"));
  EXPECT_EQ(std::ranges::count(crowd, 'x'), 20);
  EXPECT_TRUE(crowd.ends_with("x and 3 more"));
}

TEST_F(ChatRoomsTest, TheListSaysWhoIsWhereAndWhatIsUnread) {
  (void)rooms.presence(presence("joined", "bob", "dev lobby"), kRoomsNow);
  (void)rooms.presence(presence("joined", "carol", "dev"), kRoomsNow);
  (void)rooms.admit({said("ops", "one")}, "#dev");
  EXPECT_EQ(room_list(rooms),
            "#dev  here: bob, carol\n"
            "#ops  nobody else is here; 1 unread\n"
            "others, and how many are there: #lobby 1");
  EXPECT_EQ(room_text(rooms, "dev"), "you are in #dev; here: bob, carol");
}

TEST_F(ChatRoomsTest, LinesOfOnesOwnKnowHowManyAreThere) {
  (void)rooms.presence(presence("joined", "bob", "dev"), kRoomsNow);
  (void)rooms.presence(presence("joined", "carol", "dev"), kRoomsNow);
  const ChatLine mine{.kind = ChatLine::Kind::kSent, .outcome = Outcome::kDelivered, .room = "dev"};
  EXPECT_EQ(rooms.with_people({mine}).front().people, 2U);
  EXPECT_EQ(rooms.with_people({said("dev", "hello")}).front().people, 0U);
}

TEST_F(ChatRoomsTest, ALineThatNobodyHeardSaysWhoIsNotBack) {
  ChatLine mine{.kind = ChatLine::Kind::kSent,
                .outcome = Outcome::kNoSubscriber,
                .reason = "nobody else is here",
                .room = "dev"};
  EXPECT_EQ(rooms.with_people({mine}).front().reason, "nobody else is here");
  (void)rooms.presence(presence("joined", "bob", "dev"), kRoomsNow);
  EXPECT_EQ(rooms.with_people({mine}).front().reason, "bob is not back yet");
  (void)rooms.presence(presence("joined", "carol", "dev"), kRoomsNow);
  EXPECT_EQ(rooms.with_people({mine}).front().reason, "none of the 2 others is back yet");
}

TEST_F(ChatRoomsTest, ThePromptMarksUnreadRooms) {
  EXPECT_EQ(chat_prompt("#dev", rooms, 40), "#dev>");
  EXPECT_EQ(chat_prompt("bob", rooms, 40), "to bob>");
  EXPECT_EQ(chat_prompt("", rooms, 40), ">");
  (void)rooms.admit({said("ops", "one"), said("ops", "two")}, "#dev");
  EXPECT_EQ(chat_prompt("#dev", rooms, 40), "#dev [#ops 2]>");
  EXPECT_EQ(chat_prompt("", rooms, 40), "[#ops 2]>");
}

TEST_F(ChatRoomsTest, ThePromptSaysWhereOneIsCalled) {
  (void)rooms.admit({said("ops", "malice, alice2 and alice-b")}, "#dev");
  EXPECT_EQ(chat_prompt("#dev", rooms, 40), "#dev [#ops 1]>");
  (void)rooms.admit({said("ops", "ask @alice."), said("ops", "or me")}, "#dev");
  EXPECT_EQ(chat_prompt("#dev", rooms, 40), "#dev [#ops 3!]>");
  (void)rooms.take_unread("ops", kRoomsNow);
  (void)rooms.admit({said("ops", "never mind")}, "#dev");
  EXPECT_EQ(chat_prompt("#dev", rooms, 40), "#dev [#ops 1]>");
}

TEST_F(ChatRoomsTest, ThePromptOfANarrowTerminalOnlyCountsWhatDoesNotFit) {
  for (const char* room : {"a", "b", "some-long-name-of-a-room"}) {
    rooms.join(room);
    (void)rooms.admit({said(room, "one")}, "#dev");
  }
  EXPECT_EQ(chat_prompt("#dev", rooms, 25), "#dev [#a 1 #b 1 +1]>");
  EXPECT_EQ(chat_prompt("#dev", rooms, 10), "#dev [+3]>");
}

}  // namespace
}  // namespace zpost::cli
