#include "tests/sim/simulation.h"

#include <sys/mman.h>

#include <CLI/CLI.hpp>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <exception>
#include <iostream>
#include <optional>
#include <sstream>
#include <string_view>
#include <system_error>

#include "tests/sim/apart.h"
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

void print(const std::string& line) {
  std::cout << line << std::endl;  // At once: what comes next may be an assertion.
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

/// What is said of a process that did not come to its end: an assertion, if that is why.
Broken why_it_ended(const Ending& ending) {
  std::istringstream errors(ending.errors);
  for (std::string line; std::getline(errors, line);) {
    if (line.find("Assertion") == std::string::npos) continue;
    return {without_numbers(line), "an assertion: " + line};
  }
  const std::string code = ending.code < 0 ? "signal " + std::to_string(-ending.code)
                                           : "exit code " + std::to_string(ending.code);
  return {code, "it crashes: " + code};
}

/// What breaks while `act` runs in a process of its own. `errors`, unless null, gets its stderr;
/// without, it is one of many tries.
std::optional<Broken> breaks_apart(const std::function<std::optional<Broken>()>& act,
                                   std::ostream* errors) {
  const auto said = [&act] {
    const std::optional<Broken> broken = act();
    return broken ? broken->rule + '\0' + broken->text : std::string();
  };
  const Ending ending = run_apart(said, errors == nullptr ? Leave::kAtOnce : Leave::kProperly);
  if (errors != nullptr) *errors << ending.errors;
  if (!ending.whole || ending.code != 0) return why_it_ended(ending);
  if (ending.said.empty()) return std::nullopt;
  const std::size_t rule = ending.said.find('\0');
  return Broken{ending.said.substr(0, rule), ending.said.substr(rule + 1)};
}

/// A number that a process shares with those it starts.
class SharedNumber {
 public:
  SharedNumber()
      : place_(::mmap(nullptr, sizeof(std::uint64_t), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
    if (place_ == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
  }

  ~SharedNumber() { ::munmap(place_, sizeof(std::uint64_t)); }

  SharedNumber(const SharedNumber&) = delete;
  SharedNumber& operator=(const SharedNumber&) = delete;

  [[nodiscard]] std::uint64_t& operator*() const { return *static_cast<std::uint64_t*>(place_); }

 private:
  void* place_;
};

class Run {
 public:
  Run(const Simulation& simulation, const Settings& settings)
      : simulation_(simulation), settings_(settings) {}

  /// In a process of its own, since an assertion says nothing of the history it was in. What is
  /// told from the beginning needs none, and a debugger likes it better so.
  [[nodiscard]] int run() {
    const auto all = [this] { return play_all(); };
    const auto broken = settings_.tell ? all() : breaks_apart(all, &std::cerr);
    if (!broken) return 0;
    std::cout << "seed " << *seed_ << ": " << broken->text << std::endl;
    if (!settings_.tell) tell_failure(excerpt_of(*seed_), broken->rule);
    return 1;
  }

 private:
  /// Until one breaks.
  std::optional<Broken> play_all() {
    using Clock = std::chrono::steady_clock;
    const auto begin = Clock::now();
    const auto since = [&] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
    std::uint64_t done = 0;
    for (; done < settings_.histories; ++done) {
      if (settings_.seconds > 0 && since() >= settings_.seconds) break;
      *seed_ = settings_.seed + done;
      auto broken = play(excerpt_of(*seed_), settings_.tell ? print : Tell());
      if (broken) return broken;
    }
    std::cout << done << " histories, " << counted_ << ' ' << simulation_.counted << ", " << since()
              << " s\n";
    return std::nullopt;
  }

  [[nodiscard]] Excerpt excerpt_of(std::uint64_t seed) const {
    return {seed, settings_.steps,
            settings_.keep.empty() ? all_places(settings_.steps) : settings_.keep};
  }

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
    const auto broken_by = [&](const Tell& tell) {
      return breaks_apart([&] { return play(excerpt, tell); }, nullptr);
    };
    const auto fails = [&](const Places& kept) {
      excerpt.kept = kept;
      const auto broken = broken_by({});
      return broken && broken->rule == rule;
    };
    excerpt.kept = shrink(Places(excerpt.kept), fails, settings_.shrink_seconds);
    std::cout << "---- seed " << excerpt.seed << ", " << excerpt.kept.size() << " of "
              << excerpt.steps << " decisions:\n";
    const auto again = broken_by(print);
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
  const SharedNumber seed_;  // That is being played.
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
  return Run(simulation, settings).run();
}

}  // namespace zpost::sim
