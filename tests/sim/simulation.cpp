#include "tests/sim/simulation.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <optional>
#include <utility>

#include "tests/sim/rules.h"

namespace zpost::sim {

namespace {

struct Settings {
  std::uint64_t seed = 1;
  std::uint64_t histories = 1000;
  std::size_t steps = 0;
  double seconds = 0;
  double shrink_seconds = 20;
  Places keep;
  bool tell = false;
};

/// What went wrong, and in which words a shorter history must say the same.
struct Broken {
  std::string rule;
  std::string text;
};

// For the signal handler only.
volatile std::sig_atomic_t g_seed = 0;
const char* volatile g_program = "";

/// An assertion of the product says nothing of the history it was in.
void say_seed(int /*signal*/) {
  char text[64];
  const int size =
      std::snprintf(text, sizeof text, "%s: in seed %ld\n", g_program, static_cast<long>(g_seed));
  std::fwrite(text, 1, static_cast<std::size_t>(size), stderr);
  std::_Exit(134);
}

void print(const std::string& line) {
  std::cout << line << '\n';
}

std::string joined(const Places& places) {
  std::string text;
  for (const std::size_t place : places) text += (text.empty() ? "" : ",") + std::to_string(place);
  return text;
}

/// What a check without a name says: ids and counts differ from history to history.
std::string without_numbers(std::string_view what) {
  std::string rule;
  for (const char c : what) {
    if (std::isdigit(static_cast<unsigned char>(c)) == 0) rule += c;
  }
  return rule;
}

class Run {
 public:
  Run(const Simulation& simulation, const Settings& settings)
      : simulation_(simulation), settings_(settings) {}

  [[nodiscard]] int all() {
    using Clock = std::chrono::steady_clock;
    const auto begin = Clock::now();
    const auto since = [&] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
    std::uint64_t done = 0;
    for (; done < settings_.histories; ++done) {
      if (settings_.seconds > 0 && since() >= settings_.seconds) break;
      const Places kept = settings_.keep.empty() ? all_places(settings_.steps) : settings_.keep;
      const Excerpt excerpt{settings_.seed + done, settings_.steps, kept};
      g_seed = static_cast<std::sig_atomic_t>(excerpt.seed);
      const auto broken = play(excerpt, settings_.tell ? print : Tell());
      if (!broken) continue;
      std::cout << "seed " << excerpt.seed << ": " << broken->text << std::endl;
      if (!settings_.tell) tell_failure(excerpt, broken->rule);
      return 1;
    }
    std::cout << done << " histories, " << counted_ << ' ' << simulation_.counted << ", " << since()
              << " s\n";
    return 0;
  }

 private:
  std::optional<Broken> play(const Excerpt& excerpt, const Tell& tell) {
    try {
      counted_ += simulation_.play(excerpt, tell);
    } catch (const Violation& violation) {
      return Broken{violation.rule(), violation.what()};
    } catch (const std::exception& other) {
      return Broken{without_numbers(other.what()), other.what()};
    }
    return std::nullopt;
  }

  void tell_failure(Excerpt excerpt, const std::string& rule) {
    const auto fails = [&](const Places& kept) {
      const auto broken = play({excerpt.seed, excerpt.steps, kept}, {});
      return broken && broken->rule == rule;
    };
    excerpt.kept = shrink(excerpt.kept, fails, settings_.shrink_seconds);
    std::cout << "---- seed " << excerpt.seed << ", " << excerpt.kept.size() << " of "
              << excerpt.steps << " decisions:\n";
    const auto again = play(excerpt, print);
    std::cout << "---- " << (again ? again->text : "not again?!") << '\n'
              << "again: " << simulation_.program << " --seed " << excerpt.seed
              << " --histories 1 --tell --steps " << how(excerpt) << '\n';
  }

  /// No decision at all cannot be said by a list of them.
  static std::string how(const Excerpt& excerpt) {
    if (excerpt.kept.empty()) return "0";
    return std::to_string(excerpt.steps) + " --keep " + joined(excerpt.kept);
  }

  const Simulation& simulation_;
  const Settings& settings_;
  std::uint64_t counted_ = 0;
};

}  // namespace

int run_simulation(const Simulation& simulation, int argc, const char* const* argv) {
  Settings settings;
  settings.steps = simulation.steps;
  CLI::App app(simulation.about);
  app.add_option("--seed", settings.seed, "The first history's seed");
  app.add_option("--histories", settings.histories, "How many, each with the next seed");
  app.add_option("--steps", settings.steps, "Decisions in each, before everything heals");
  app.add_option("--seconds", settings.seconds, "Stop early after this time; 0: never");
  app.add_option("--shrink", settings.shrink_seconds,
                 "How long to look for a shorter history that fails; 0: not at all");
  app.add_option("--keep", settings.keep, "Only these decisions, by their places")->delimiter(',');
  app.add_flag("--tell", settings.tell, "Print all that happens");
  CLI11_PARSE(app, argc, argv);
  for (const std::size_t place : settings.keep) {
    if (place < settings.steps) continue;
    std::cerr << "--keep " << place << ": there are only " << settings.steps
              << " decisions, from 0 on\n";
    return 2;
  }
  g_program = simulation.program.c_str();
  std::signal(SIGABRT, say_seed);
  std::signal(SIGSEGV, say_seed);
  const int code = Run(simulation, settings).all();
  std::signal(SIGABRT, SIG_DFL);
  std::signal(SIGSEGV, SIG_DFL);
  return code;
}

}  // namespace zpost::sim
