#include "tests/sim/simulation.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <vector>

#include "tests/sim/rules.h"

namespace zpost::sim {
namespace {

using testing::HasSubstr;

bool has(const Places& places, std::size_t place) {
  return std::find(places.begin(), places.end(), place) != places.end();
}

struct Ended {
  int code = 0;
  std::string output;
};

Ended run(std::vector<const char*> flags, decltype(Simulation::play) play) {
  flags.insert(flags.begin(), "toy_sim");
  testing::internal::CaptureStdout();
  const int code = run_simulation({.program = "toy_sim",
                                   .about = "A toy",
                                   .counted = "marbles",
                                   .steps = 40,
                                   .play = std::move(play)},
                                  static_cast<int>(flags.size()), flags.data());
  return {code, testing::internal::GetCapturedStdout()};
}

/// Breaks a rule in seed 7, if both decisions take place.
std::uint64_t two_of_seed_seven(const Excerpt& excerpt, const Tell& tell) {
  for (const std::size_t place : excerpt.kept) {
    if (tell) tell(fmt::format("deed {}", place));
  }
  if (excerpt.seed == 7 && has(excerpt.kept, 5) && has(excerpt.kept, 31)) {
    throw Violation("nothing is lost", fmt::format("{} marbles", excerpt.kept.size()));
  }
  return 2;
}

TEST(Simulation, CountsWhatWasPlayedWhenNothingBreaks) {
  const Ended ended = run({"--seed", "8", "--histories", "3"}, two_of_seed_seven);

  EXPECT_EQ(ended.code, 0);
  EXPECT_THAT(ended.output, HasSubstr("3 histories, 6 marbles, "));
}

TEST(Simulation, TellsTheShortestHistoryThatFailsAndHowToPlayItAgain) {
  const Ended ended = run({}, two_of_seed_seven);

  EXPECT_EQ(ended.code, 1);
  EXPECT_EQ(ended.output,
            "seed 7: nothing is lost: 40 marbles\n"
            "---- seed 7, 2 of 40 decisions:\n"
            "deed 5\n"
            "deed 31\n"
            "---- nothing is lost: 2 marbles\n"
            "again: toy_sim --seed 7 --histories 1 --tell --steps 40 --keep 5,31\n");
}

TEST(Simulation, PlaysAgainWhatItSaid) {
  const Ended ended =
      run({"--seed", "7", "--histories", "1", "--tell", "--steps", "40", "--keep", "5,31"},
          two_of_seed_seven);

  EXPECT_EQ(ended.code, 1);
  EXPECT_EQ(ended.output, "deed 5\ndeed 31\nseed 7: nothing is lost: 2 marbles\n");
}

TEST(Simulation, TellsTheWholeHistoryIfItIsNotToBeShortened) {
  const Ended ended = run({"--shrink", "0"}, two_of_seed_seven);

  EXPECT_THAT(ended.output, HasSubstr("40 of 40 decisions"));
}

TEST(Simulation, SaysHowToPlayAHistoryOfWhichNothingIsLeft) {
  const Ended ended = run({}, [](const Excerpt&, const Tell&) -> std::uint64_t {
    throw Violation("nothing is lost", "ever");
  });

  EXPECT_THAT(ended.output, HasSubstr("again: toy_sim --seed 1 --histories 1 --tell --steps 0\n"));
}

TEST(Simulation, TakesNoOtherFailureForTheSame) {
  // Without decision 9 another rule is broken: that is no shorter form of this failure.
  const Ended ended = run({}, [](const Excerpt& excerpt, const Tell&) -> std::uint64_t {
    throw Violation(has(excerpt.kept, 9) ? "the first" : "the second", "is broken");
  });

  EXPECT_THAT(ended.output, HasSubstr("--keep 9\n"));
}

TEST(Simulation, KnowsAFailureWithoutANameByItsWords) {
  const Ended ended = run({}, [](const Excerpt& excerpt, const Tell&) -> std::uint64_t {
    const std::size_t count = excerpt.kept.size();
    if (!has(excerpt.kept, 12)) throw std::logic_error(fmt::format("{} marbles roll", count));
    throw std::logic_error(fmt::format("{} marbles are gone", count));
  });

  EXPECT_THAT(ended.output, HasSubstr("---- 1 marbles are gone\n"));
}

TEST(Simulation, TakesAnAssertionForAFailureLikeOthers) {
  testing::internal::CaptureStderr();
  const Ended ended = run({}, [](const Excerpt& excerpt, const Tell& tell) -> std::uint64_t {
    if (tell) tell("now");
    if (excerpt.seed == 3 && has(excerpt.kept, 20)) {
      std::fputs("toy_sim: toy.cpp:20: Assertion `is_round()' failed.\n", stderr);
      std::_Exit(134);
    }
    return 1;
  });

  EXPECT_EQ(ended.code, 1);
  EXPECT_EQ(ended.output,
            "seed 3: an assertion: toy_sim: toy.cpp:20: Assertion `is_round()' failed.\n"
            "---- seed 3, 1 of 40 decisions:\n"
            "now\n"
            "---- an assertion: toy_sim: toy.cpp:20: Assertion `is_round()' failed.\n"
            "again: toy_sim --seed 3 --histories 1 --tell --steps 40 --keep 20\n");
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("is_round()"));
}

TEST(Simulation, SaysWhatEndedAProcessThatSaidNothing) {
  const Ended ended = run({}, [](const Excerpt&, const Tell&) -> std::uint64_t { std::_Exit(3); });

  EXPECT_THAT(ended.output, HasSubstr("seed 1: it crashes: exit code 3\n"));
}

TEST(Simulation, RefusesToKeepADecisionThatDoesNotExist) {
  testing::internal::CaptureStderr();

  const Ended ended = run({"--keep", "39,40"}, two_of_seed_seven);

  EXPECT_EQ(ended.code, 2);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "--keep 40: there are only 40 decisions, from 0 on\n");
}

}  // namespace
}  // namespace zpost::sim
