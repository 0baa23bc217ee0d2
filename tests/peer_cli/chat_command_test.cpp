#include "peer/cli/chat_command.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "peer/cli/shared/text.h"

namespace zpost::cli {

void PrintTo(const ChatCommand& command, std::ostream* out) {
  *out << static_cast<int>(command.kind) << " \"" << command.text << '"';
}

namespace {

using CommandKind = ChatCommand::Kind;

MATCHER_P2(Is, kind, text, "") {
  return arg.kind == kind && arg.text == text;
}

TEST(ChatCommandTest, TextIsSaidAsItIs) {
  EXPECT_THAT(parse_chat_command("hello there"), Is(CommandKind::kSay, "hello there"));
  EXPECT_THAT(parse_chat_command("  indented "), Is(CommandKind::kSay, "  indented "));
  EXPECT_THAT(parse_chat_command("1/2"), Is(CommandKind::kSay, "1/2"));
}

TEST(ChatCommandTest, AnEmptyLineSaysNothing) {
  EXPECT_THAT(parse_chat_command(""), Is(CommandKind::kNothing, ""));
  EXPECT_THAT(parse_chat_command(" \t\r"), Is(CommandKind::kNothing, ""));
}

TEST(ChatCommandTest, CommandsAreKnownByTheirFirstWord) {
  EXPECT_THAT(parse_chat_command("/help"), Is(CommandKind::kHelp, ""));
  EXPECT_THAT(parse_chat_command(" /who "), Is(CommandKind::kWho, ""));
  EXPECT_THAT(parse_chat_command("/retry"), Is(CommandKind::kRetry, ""));
  EXPECT_THAT(parse_chat_command("/quit"), Is(CommandKind::kQuit, ""));
  EXPECT_THAT(parse_chat_command("/to  bob "), Is(CommandKind::kTo, "bob"));
  EXPECT_THAT(parse_chat_command("/to"), Is(CommandKind::kTo, ""));
}

TEST(ChatCommandTest, RoomsAreJoinedAndLeft) {
  EXPECT_THAT(parse_chat_command("/join  dev "), Is(CommandKind::kJoin, "dev"));
  EXPECT_THAT(parse_chat_command("/join #dev"), Is(CommandKind::kJoin, "#dev"));
  EXPECT_THAT(parse_chat_command("/leave"), Is(CommandKind::kLeave, ""));
  EXPECT_THAT(parse_chat_command("/leave dev"), Is(CommandKind::kLeave, "dev"));
  EXPECT_THAT(parse_chat_command("/rooms"), Is(CommandKind::kRooms, ""));
  EXPECT_THAT(parse_chat_command("/who #dev"), Is(CommandKind::kWho, "#dev"));
}

TEST(ChatCommandTest, MsgSaysTheRestToItsFirstWord) {
  const ChatCommand msg = parse_chat_command("/msg bob  see you at 5 ");
  EXPECT_THAT(msg, Is(CommandKind::kMsg, "see you at 5"));
  EXPECT_EQ(msg.to, "bob");
  EXPECT_EQ(parse_chat_command("/msg bob").to, "bob");
  EXPECT_EQ(parse_chat_command("/msg bob").text, "");
  EXPECT_EQ(parse_chat_command("/msg").to, "");
}

TEST(ChatCommandTest, UnknownCommandsAreNotSaid) {
  EXPECT_THAT(parse_chat_command("/dance now"), Is(CommandKind::kUnknown, "/dance"));
  EXPECT_THAT(parse_chat_command("/Quit"), Is(CommandKind::kUnknown, "/Quit"));
}

TEST(ChatCommandTest, TwoSlashesSayOne) {
  EXPECT_THAT(parse_chat_command("//etc/passwd"), Is(CommandKind::kSay, "/etc/passwd"));
}

TEST(ChatCommandTest, HelpNamesEveryCommand) {
  for (const std::string& word : chat_command_words()) {
    if (word == "/help") continue;
    EXPECT_THAT(chat_help(), testing::HasSubstr(word + " ")) << word;
  }
}

TEST(ChatCommandTest, HelpFitsAScreenOf80Columns) {
  use_utf8();
  const std::string help = chat_help();
  std::string_view rest = help;
  while (!rest.empty()) {
    const std::string_view row = rest.substr(0, rest.find('\n'));
    EXPECT_LE(columns_of(row), 80U) << row;
    rest.remove_prefix(std::min(rest.size(), row.size() + 1));
  }
}

}  // namespace
}  // namespace zpost::cli
