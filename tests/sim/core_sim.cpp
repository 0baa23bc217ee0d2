// Runs random histories through the routing core. A seed that fails is told with all that happened;
// `core_sim --seed N --histories 1 --tell` plays it again.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <string>

#include "tests/sim/history.h"

namespace {

using zpost::sim::History;
using zpost::sim::SeededDice;

struct Settings {
  std::uint64_t seed = 1;
  std::uint64_t histories = 1000;
  std::size_t steps = 300;
  double seconds = 0;
  bool tell = false;
};

void print(const std::string& line) {
  std::cout << line << '\n';
}

/// The number of envelopes sent. Throws when the history breaks a rule.
std::uint64_t play(const Settings& settings, std::uint64_t seed, const History::Tell& tell) {
  SeededDice dice(seed);
  History history(dice, tell);
  history.run(settings.steps);
  return history.envelopes();
}

/// Equal seeds give equal histories, so a failure can be told afterwards.
void tell_failure(const Settings& settings, std::uint64_t seed) {
  try {
    play(settings, seed, print);
  } catch (const std::exception& broken) {
    std::cout << "seed " << seed << ": " << broken.what() << '\n'
              << "again: core_sim --seed " << seed << " --histories 1 --steps " << settings.steps
              << " --tell\n";
  }
}

int run(const Settings& settings) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration<double>(settings.seconds);
  std::uint64_t envelopes = 0;
  std::uint64_t done = 0;
  for (; done < settings.histories; ++done) {
    if (settings.seconds > 0 && Clock::now() >= end) break;
    const std::uint64_t seed = settings.seed + done;
    try {
      envelopes += play(settings, seed, settings.tell ? print : History::Tell());
    } catch (const std::exception& broken) {
      std::cout << "seed " << seed << ": " << broken.what() << std::endl;
      if (!settings.tell) tell_failure(settings, seed);
      return 1;
    }
  }
  std::cout << done << " histories, " << envelopes << " envelopes\n";
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app("Random histories through the routing core, checked at every step");
  app.add_option("--seed", settings.seed, "The first history's seed");
  app.add_option("--histories", settings.histories, "How many, each with the next seed");
  app.add_option("--steps", settings.steps, "What happens in each, before it settles down");
  app.add_option("--seconds", settings.seconds, "Stop early after this time; 0: never");
  app.add_flag("--tell", settings.tell, "Print all that happens");
  CLI11_PARSE(app, argc, argv);
  return run(settings);
}
