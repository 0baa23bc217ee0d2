#include "tests/sim/core_play.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace zpost::sim {
namespace {

using Lines = std::vector<std::string>;

constexpr std::size_t kSteps = 60;
constexpr std::uint64_t kSeeds = 6;

Lines told(std::uint64_t seed, const Places& kept) {
  Lines lines;
  const std::uint64_t envelopes =
      play_core({seed, kSteps, kept}, [&](const std::string& line) { lines.push_back(line); });
  lines.push_back(std::to_string(envelopes));
  return lines;
}

/// Time passes whatever the peers are at: these lines depend on nothing but the steps' own chance.
Lines spans(std::uint64_t seed, const Places& kept) {
  Lines spans;
  for (const std::string& line : told(seed, kept)) {
    if (line.ends_with(" ms pass")) spans.push_back(line);
  }
  return spans;
}

TEST(CorePlay, EqualExcerptsAreEqual) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    EXPECT_EQ(told(seed, all_places(kSteps)), told(seed, all_places(kSteps)));
  }
}

TEST(CorePlay, LeavingStepsOutLeavesTheOthersWhatTheyAre) {
  std::size_t count = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Places even;
    Places odd;
    for (const std::size_t place : all_places(kSteps))
      (place % 2 == 0 ? even : odd).push_back(place);
    Lines one_by_one;
    for (const std::size_t place : all_places(kSteps)) {
      for (const std::string& span : spans(seed, {place})) one_by_one.push_back(span);
    }

    EXPECT_EQ(spans(seed, all_places(kSteps)), one_by_one);
    EXPECT_EQ(spans(seed, even).size() + spans(seed, odd).size(), one_by_one.size());
    count += one_by_one.size();
  }
  EXPECT_GT(count, kSeeds);
}

TEST(CorePlay, WhatIsLeftOutAtTheEndChangesNothingBefore) {
  const Lines all = told(3, all_places(kSteps));
  const Lines half = told(3, all_places(kSteps / 2));

  const auto parted = std::mismatch(all.begin(), all.end(), half.begin(), half.end());

  ASSERT_NE(parted.second, half.end());
  EXPECT_EQ(*parted.second, "---- everyone settles down");
}

}  // namespace
}  // namespace zpost::sim
