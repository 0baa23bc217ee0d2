// Plays random histories of the whole world. One that fails is made shorter and told in words;
// `world_sim --seed N --histories 1 --keep … --tell` plays it again.
#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <numeric>
#include <string>
#include <vector>

#include "tests/sim/world/shrink.h"

namespace {

using namespace zpost::sim;  // NOLINT(google-build-using-namespace): a program of one file.

struct Settings {
  std::uint64_t seed = 1;
  std::uint64_t histories = 1000;
  std::size_t steps = 60;
  double seconds = 0;
  double shrink_seconds = 20;
  std::vector<std::size_t> keep;
  bool tell = false;
};

volatile std::sig_atomic_t g_seed = 0;  // For the signal handler only.

/// An assertion of the product says nothing of the history it was in.
void say_seed(int /*signal*/) {
  char text[64];
  const int size =
      std::snprintf(text, sizeof text, "world_sim: in seed %ld\n", static_cast<long>(g_seed));
  std::fwrite(text, 1, static_cast<std::size_t>(size), stderr);
  std::_Exit(134);
}

void print(const std::string& line) {
  std::cout << line << '\n';
}

std::vector<std::size_t> all_of(std::size_t count) {
  std::vector<std::size_t> places(count);
  std::iota(places.begin(), places.end(), std::size_t{0});
  return places;
}

std::string joined(const std::vector<std::size_t>& places) {
  std::string text;
  for (const std::size_t place : places) text += (text.empty() ? "" : ",") + std::to_string(place);
  return text;
}

void tell_failure(const Settings& settings, std::uint64_t seed,
                  const std::vector<Decision>& decisions, const Broken& broken) {
  std::vector<std::size_t> kept = settings.keep.empty() ? all_of(decisions.size()) : settings.keep;
  if (settings.shrink_seconds > 0) {
    kept = shrink(seed, decisions, kept, broken.rule, settings.shrink_seconds);
  }
  std::cout << "---- seed " << seed << ", " << kept.size() << " of " << decisions.size()
            << " decisions:\n";
  const auto again = play(seed, decisions, kept, print, nullptr);
  std::cout << "---- " << (again ? again->text : "not again?!") << '\n'
            << "again: world_sim --seed " << seed << " --histories 1 --steps " << settings.steps
            << " --tell --keep " << joined(kept) << '\n';
}

int run(const Settings& settings) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  const auto since = [&] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
  std::uint64_t letters = 0;
  std::uint64_t done = 0;
  for (; done < settings.histories; ++done) {
    if (settings.seconds > 0 && since() >= settings.seconds) break;
    const std::uint64_t seed = settings.seed + done;
    g_seed = static_cast<std::sig_atomic_t>(seed);
    const std::vector<Decision> decisions = choose_decisions(seed, settings.steps);
    const auto kept = settings.keep.empty() ? all_of(decisions.size()) : settings.keep;
    const auto broken =
        play(seed, decisions, kept, settings.tell ? print : FullWorld::Tell(), &letters);
    if (!broken) continue;
    std::cout << "seed " << seed << ": " << broken->text << std::endl;
    if (!settings.tell) tell_failure(settings, seed, decisions, *broken);
    return 1;
  }
  std::cout << done << " histories, " << letters << " letters, " << since() << " s\n";
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app("Random histories of broker, libraries and connections, checked at every step");
  app.add_option("--seed", settings.seed, "The first history's seed");
  app.add_option("--histories", settings.histories, "How many, each with the next seed");
  app.add_option("--steps", settings.steps, "Decisions in each, before everything heals");
  app.add_option("--seconds", settings.seconds, "Stop early after this time; 0: never");
  app.add_option("--shrink", settings.shrink_seconds,
                 "How long to look for a shorter history that fails; 0: not at all");
  app.add_option("--keep", settings.keep, "Only these decisions, by their places")->delimiter(',');
  app.add_flag("--tell", settings.tell, "Print all that happens");
  CLI11_PARSE(app, argc, argv);
  std::signal(SIGABRT, say_seed);
  std::signal(SIGSEGV, say_seed);
  return run(settings);
}
