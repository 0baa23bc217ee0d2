#include "tests/sim/apart.h"

#include <gmock/gmock.h>

#include <csignal>
#include <cstdlib>
#include <iostream>

namespace zpost::sim {
namespace {

using testing::HasSubstr;

TEST(Apart, SaysWhatWasReturned) {
  int count = 0;

  const Ending ending = run_apart([&] {
    ++count;
    return std::string("all of it");
  });

  EXPECT_TRUE(ending.whole);
  EXPECT_EQ(ending.code, 0);
  EXPECT_EQ(ending.said, "all of it");
  EXPECT_EQ(count, 0);  // It was another process.
}

TEST(Apart, ReturnsThoughNothingWasSaid) {
  EXPECT_TRUE(run_apart([] { return std::string(); }).whole);
}

TEST(Apart, KnowsWhatASignalEnded) {
  const Ending ending = run_apart([]() -> std::string {
    std::signal(SIGTERM, SIG_DFL);
    std::cerr << "too late" << std::endl;
    std::raise(SIGTERM);
    return "never";
  });

  EXPECT_FALSE(ending.whole);
  EXPECT_EQ(ending.code, -SIGTERM);
  EXPECT_EQ(ending.errors, "too late\n");
}

TEST(Apart, KnowsWhatExitedBeforeItReturned) {
  const Ending ending = run_apart([]() -> std::string { std::_Exit(3); });

  EXPECT_FALSE(ending.whole);
  EXPECT_EQ(ending.code, 3);
}

TEST(Apart, CutsWhatIsTooLong) {
  EXPECT_EQ(run_apart([] { return std::string(1 << 20, 'x'); }).said.size(), 32U << 10);
}

TEST(Apart, SharesTheOutput) {
  testing::internal::CaptureStdout();
  std::cout << "before";

  const Ending ending = run_apart([] {
    std::cout << ", within";
    return std::string();
  });
  std::cout << ", after";

  EXPECT_TRUE(ending.whole);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "before, within, after");
}

}  // namespace
}  // namespace zpost::sim
