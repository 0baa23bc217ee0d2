#include "peer/cli/chat_completion.h"

#include <gmock/gmock.h>

namespace zpost::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const KnownWords known{.commands = {"/join", "/leave", "/msg", "/to", "/who"},
                       .joined = {"dev", "devices"},
                       .rooms = {"dev", "devices", "ops"},
                       .people = {"bob", "carol", "carla"}};

std::string completed(const std::string& before) {
  return before + complete(before, known).inserted;
}

std::vector<std::string> choices(const std::string& before) {
  return complete(before, known).choices;
}

TEST(ChatCompletionTest, OneMatchIsCompletedWithABlank) {
  EXPECT_EQ(completed("/j"), "/join ");
  EXPECT_EQ(completed("/join o"), "/join ops ");
  EXPECT_EQ(completed("/msg b"), "/msg bob ");
}

TEST(ChatCompletionTest, SeveralMatchesAreCompletedAsFarAsTheyAgree) {
  EXPECT_EQ(completed("/msg c"), "/msg car");
  EXPECT_THAT(choices("/msg car"), ElementsAre("carla", "carol"));
  EXPECT_EQ(completed("/join d"), "/join dev");
  EXPECT_THAT(choices("/join dev"), ElementsAre("dev", "devices"));
}

TEST(ChatCompletionTest, NoMatchChangesNothing) {
  EXPECT_EQ(completed("/msg x"), "/msg x");
  EXPECT_THAT(choices("/msg x"), IsEmpty());
  EXPECT_EQ(completed("/dance b"), "/dance b");
  EXPECT_EQ(completed(""), "");
}

TEST(ChatCompletionTest, OnlyOnesOwnRoomsCanBeLeftOrLookedAt) {
  EXPECT_EQ(completed("/leave o"), "/leave o");
  EXPECT_THAT(choices("/to "), ElementsAre("#dev", "#devices", "bob", "carla", "carol"));
  EXPECT_EQ(completed("/who #o"), "/who #ops ");
}

TEST(ChatCompletionTest, ARoomMayBeWrittenWithItsMark) {
  EXPECT_EQ(completed("/join #o"), "/join #ops ");
  EXPECT_EQ(completed("see #o"), "see #ops ");
}

TEST(ChatCompletionTest, NamesAreCompletedWithinWhatIsSaid) {
  EXPECT_EQ(completed("b"), "bob ");
  EXPECT_EQ(completed("ask b"), "ask bob ");
  EXPECT_EQ(completed("ask @b"), "ask @bob ");
  EXPECT_EQ(completed("/msg bob ask carl"), "/msg bob ask carla ");
  EXPECT_EQ(completed("//j b"), "//j bob ");
  EXPECT_EQ(completed("thé b"), "thé bob ");
  EXPECT_THAT(choices("a blank "), IsEmpty());
}

TEST(ChatCompletionTest, ACommandTakesOneArgument) {
  EXPECT_EQ(completed("/to bob c"), "/to bob c");
}

TEST(ChatCompletionTest, ChoicesStandInColumns) {
  EXPECT_EQ(in_columns({"a", "bb", "c"}, 8), "a   bb\nc\n");
  EXPECT_EQ(in_columns({"a", "b"}, 1), "a\nb\n");
  EXPECT_THAT(in_columns(std::vector<std::string>(205, "x"), 80), testing::HasSubstr("and 5 more"));
}

}  // namespace
}  // namespace zpost::cli
