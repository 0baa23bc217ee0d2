// What keys mean to a replay.
#include "tools/inspect/replay_keys.h"

#include <gtest/gtest.h>

namespace zpost::inspect {
namespace {

using What = ReplayKey::What;

/// What the last of several keys says.
std::optional<ReplayKey> pressed(std::string_view keys) {
  ReplayKeyReader reader;
  std::optional<ReplayKey> last;
  for (const char key : keys) last = reader.take(key);
  return last;
}

TEST(ReplayKeysTest, SpaceAndEnterSendTheNextOne) {
  for (const char* const key : {" ", "\n"}) {
    ASSERT_TRUE(pressed(key));
    EXPECT_EQ(pressed(key)->what, What::kStep);
    EXPECT_EQ(pressed(key)->count, 1U);
  }
}

TEST(ReplayKeysTest, ANumberBehindBAndEnterIsABurst) {
  EXPECT_EQ(pressed("b 2"), std::nullopt);
  ASSERT_TRUE(pressed("b 25\n"));
  EXPECT_EQ(pressed("b 25\n")->what, What::kStep);
  EXPECT_EQ(pressed("b 25\n")->count, 25U);
  EXPECT_EQ(pressed("b\n")->count, ReplayKeyReader::kUsualBurst);
  EXPECT_EQ(pressed("b99999999999999999999999\n")->count, ReplayKeyReader::kMostAtOnce);
}

TEST(ReplayKeysTest, SPassesOver) {
  ASSERT_TRUE(pressed("s3\n"));
  EXPECT_EQ(pressed("s3\n")->what, What::kSkip);
  EXPECT_EQ(pressed("s3\n")->count, 3U);
  EXPECT_EQ(pressed("s\n")->count, 1U);
}

TEST(ReplayKeysTest, AnotherKeyInsteadOfANumberIsItself) {
  ASSERT_TRUE(pressed("b12c"));
  EXPECT_EQ(pressed("b12c")->what, What::kGoOn);
}

TEST(ReplayKeysTest, WhatIsTypedCanBeShown) {
  ReplayKeyReader reader;
  EXPECT_EQ(reader.typed(), "");
  for (const char key : std::string_view("b12")) (void)reader.take(key);
  EXPECT_EQ(reader.typed(), "b 12");
}

TEST(ReplayKeysTest, TheOtherKeysPauseGoOnEndAndHelp) {
  EXPECT_EQ(pressed("p")->what, What::kPause);
  EXPECT_EQ(pressed("c")->what, What::kGoOn);
  EXPECT_EQ(pressed("q")->what, What::kQuit);
  EXPECT_EQ(pressed("x")->what, What::kHelp);
}

}  // namespace
}  // namespace zpost::inspect
