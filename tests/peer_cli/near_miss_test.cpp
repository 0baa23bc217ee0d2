#include "peer/cli/shared/near_miss.h"

#include <gmock/gmock.h>

namespace zpost::cli {
namespace {

using testing::Optional;

const std::vector<std::string> kOptions{"--lines", "--file",     "--body-file", "--timeout",
                                        "--as",    "--endpoint", "--format",    "--wait"};

TEST(NearMissTest, ASlipOfTheFingersIsFound) {
  EXPECT_THAT(near_miss("--line", kOptions), Optional(std::string("--lines")));
  EXPECT_THAT(near_miss("--tiemout", kOptions), Optional(std::string("--timeout")));
  EXPECT_THAT(near_miss("--fromat", kOptions), Optional(std::string("--format")));
  EXPECT_THAT(near_miss("-lines", kOptions), Optional(std::string("--lines")));
  EXPECT_THAT(near_miss("--Lines", kOptions), Optional(std::string("--lines")));
}

TEST(NearMissTest, TheSameWordsOtherwiseJoinedOrCutShortAreFound) {
  EXPECT_THAT(near_miss("--file-body", kOptions), Optional(std::string("--body-file")));
  EXPECT_THAT(near_miss("--body", kOptions), Optional(std::string("--body-file")));
  EXPECT_THAT(near_miss("--end", kOptions), Optional(std::string("--endpoint")));
}

TEST(NearMissTest, TheNearestIsPreferred) {
  EXPECT_THAT(near_miss("--files", kOptions), Optional(std::string("--file")));
}

TEST(NearMissTest, WhatIsFarFromAllIsNotGuessed) {
  for (const char* word : {"--retain", "--x", "-x", "", "--", "-"}) {
    EXPECT_EQ(near_miss(word, kOptions), std::nullopt) << word;
  }
  EXPECT_EQ(near_miss(std::string(100'000, 'x'), kOptions), std::nullopt);
}

TEST(NearMissTest, TheQuestionStandsBehindASentenceOrIsLeftOut) {
  EXPECT_EQ(did_you_mean("--line", kOptions), "; did you mean --lines?");
  EXPECT_EQ(did_you_mean("--retain", kOptions), "");
}

}  // namespace
}  // namespace zpost::cli
