#include "peer/cli/shared/near_miss.h"

#include <gmock/gmock.h>

namespace zpost::cli {
namespace {

using testing::Optional;

const std::vector<std::string> options{"--lines", "--file",     "--body-file", "--timeout",
                                       "--as",    "--endpoint", "--format",    "--wait"};

TEST(NearMissTest, ASlipOfTheFingersIsFound) {
  EXPECT_THAT(near_miss("--line", options), Optional(std::string("--lines")));
  EXPECT_THAT(near_miss("--tiemout", options), Optional(std::string("--timeout")));
  EXPECT_THAT(near_miss("--fromat", options), Optional(std::string("--format")));
  EXPECT_THAT(near_miss("-lines", options), Optional(std::string("--lines")));
  EXPECT_THAT(near_miss("--Lines", options), Optional(std::string("--lines")));
}

TEST(NearMissTest, TheSameWordsOtherwiseJoinedOrCutShortAreFound) {
  EXPECT_THAT(near_miss("--file-body", options), Optional(std::string("--body-file")));
  EXPECT_THAT(near_miss("--body", options), Optional(std::string("--body-file")));
  EXPECT_THAT(near_miss("--end", options), Optional(std::string("--endpoint")));
}

TEST(NearMissTest, TheNearestIsPreferred) {
  EXPECT_THAT(near_miss("--files", options), Optional(std::string("--file")));
}

TEST(NearMissTest, WhatIsFarFromAllIsNotGuessed) {
  for (const char* word : {"--retain", "--x", "-x", "", "--", "-"}) {
    EXPECT_EQ(near_miss(word, options), std::nullopt) << word;
  }
  EXPECT_EQ(near_miss(std::string(100'000, 'x'), options), std::nullopt);
}

TEST(NearMissTest, TheQuestionStandsBehindASentenceOrIsLeftOut) {
  EXPECT_EQ(did_you_mean("--line", options), "; did you mean --lines?");
  EXPECT_EQ(did_you_mean("--retain", options), "");
}

}  // namespace
}  // namespace zpost::cli
