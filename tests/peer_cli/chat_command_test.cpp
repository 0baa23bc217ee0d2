#include "peer/cli/chat_command.h"

#include <gmock/gmock.h>

namespace zpost::cli {

void PrintTo(const ChatCommand& command, std::ostream* out) {
  *out << static_cast<int>(command.kind) << " \"" << command.text << '"';
}

namespace {

using Kind = ChatCommand::Kind;

MATCHER_P2(Is, kind, text, "") {
  return arg.kind == kind && arg.text == text;
}

TEST(ChatCommandTest, TextIsSaidAsItIs) {
  EXPECT_THAT(parse_chat_command("hello there"), Is(Kind::kSay, "hello there"));
  EXPECT_THAT(parse_chat_command("  indented "), Is(Kind::kSay, "  indented "));
  EXPECT_THAT(parse_chat_command("1/2"), Is(Kind::kSay, "1/2"));
}

TEST(ChatCommandTest, AnEmptyLineSaysNothing) {
  EXPECT_THAT(parse_chat_command(""), Is(Kind::kNothing, ""));
  EXPECT_THAT(parse_chat_command(" \t\r"), Is(Kind::kNothing, ""));
}

TEST(ChatCommandTest, CommandsAreKnownByTheirFirstWord) {
  EXPECT_THAT(parse_chat_command("/help"), Is(Kind::kHelp, ""));
  EXPECT_THAT(parse_chat_command(" /who "), Is(Kind::kWho, ""));
  EXPECT_THAT(parse_chat_command("/retry"), Is(Kind::kRetry, ""));
  EXPECT_THAT(parse_chat_command("/quit"), Is(Kind::kQuit, ""));
  EXPECT_THAT(parse_chat_command("/to  bob "), Is(Kind::kTo, "bob"));
  EXPECT_THAT(parse_chat_command("/to"), Is(Kind::kTo, ""));
}

TEST(ChatCommandTest, UnknownCommandsAreNotSaid) {
  EXPECT_THAT(parse_chat_command("/dance now"), Is(Kind::kUnknown, "/dance"));
  EXPECT_THAT(parse_chat_command("/Quit"), Is(Kind::kUnknown, "/Quit"));
}

TEST(ChatCommandTest, TwoSlashesSayOne) {
  EXPECT_THAT(parse_chat_command("//etc/passwd"), Is(Kind::kSay, "/etc/passwd"));
}

TEST(ChatCommandTest, HelpNamesEveryCommand) {
  for (const char* word : {"/to NAME", "/who", "/retry", "/quit"}) {
    EXPECT_THAT(chat_help(), testing::HasSubstr(word));
  }
}

}  // namespace
}  // namespace zpost::cli
