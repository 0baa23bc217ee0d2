#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>

#include "tools/bench/fairness.h"
#include "tools/bench/options.h"
#include "tools/bench/progress.h"
#include "tools/bench/report_json.h"
#include "tools/bench/report_text.h"
#include "tools/bench/verbs.h"
#include "tools/bench/work_item.h"

namespace zpost::bench {
namespace {

constexpr const char* kFairnessExamples = R"(
Quiet peers make round trips at a steady rate, one at a time, each with a peer that answers it. A
round has three phases, each on a fresh server. idle: nothing else goes on. flood: one sender sends
to all receivers in turn, as fast as the system lets it, or as many a second as --offered says.
even: as many senders as receivers, each to its own, offer together what arrived of the flood a
second. The ratio is that of the quiet peers' p99 in flood to that in even, the median over the
rounds. A round trip's time begins when it is sent.

Where the even load does not get through at the flood's rate, the machine is busier with it than
with the flood, and the ratio flatters: the report says so.

Examples:
  zpost-bench fairness --most 3
  zpost-bench fairness --system nats --size 1KiB
  zpost-bench fairness --offered 1000000 --senders 1
  zpost-bench fairness --quiet 2 --rate 500 --senders 4 --seconds 5 --rounds 5 --format json

Exit codes: 0 all arrived once, in order and intact, and the ratio is at most --most; 2 usage; 3 not
so; 4 a server or client failed; 6 timed out.

)";

struct FairnessOptions {
  std::string system;
  FairnessWork work;
  double seconds = 2;
  std::optional<double> most;
  Format format = Format::kText;
};

ExitCode exit_code_of(const FairnessRun& run, std::optional<double> most) {
  ExitCode code = ExitCode::kAsWanted;
  for (const FairnessRound& round : run.rounds) {
    for (const Phase phase : kPhases) {
      code = worse(code, exit_code_for(round.of(phase).record, round.of(phase).flawless()));
    }
  }
  if (most && run.exceeds(*most)) code = worse(code, ExitCode::kNotDelivered);
  return code;
}

ExitCode run(const Systems& systems, FairnessOptions& options) {
  const System& system = find_system(systems, options.system);
  require_measure(systems, system, Measure::kFairness, "fairness");
  options.work.time = std::chrono::duration<double>(options.seconds);
  const Progress progress;
  const FairnessRun result =
      run_fairness(system, options.work, [&](std::uint32_t round, Phase phase) {
        progress.show(fmt::format("{}: round {} of {}, {}", system.name(), round,
                                  options.work.rounds, word_for(phase)));
      });
  progress.clear();
  fmt::print("{}", options.format == Format::kJson
                       ? json::fairness(system, options.work, result, options.most)
                       : text::fairness(system, options.work, result, options.most));
  return exit_code_of(result, options.most);
}

void add_work_options(CLI::App& verb, FairnessWork& work) {
  verb.add_option("--quiet", work.quiet, "Quiet peers (default 4)")
      ->check(CLI::Range(std::uint32_t{1}, kMaxPairs))
      ->option_text("N");
  verb.add_option("--rate", work.quiet_rate, "Round trips a second of each (default 100)")
      ->check(CLI::Range(1.0, 10'000.0))
      ->option_text("N");
  verb.add_option("--senders", work.senders, "Of the even load, and receivers (default 8)")
      ->check(CLI::Range(std::uint32_t{1}, kMaxPairs))
      ->option_text("N");
  verb.add_option("--offered", work.offered,
                  "Payloads a second of the flood (default: as many as it may)")
      ->check(CLI::Range(1.0, 1e9))
      ->option_text("N");
  verb.add_option("--rounds", work.rounds, "How often all three phases (default 3)")
      ->check(CLI::Range(1, 1'000))
      ->option_text("N");
}

}  // namespace

void add_fairness_verb(CLI::App& app, const Systems& systems, ExitCode& exit_code) {
  auto* const verb = app.add_subcommand(
      "fairness", "What one flooding peer does to the round trips of quiet ones");
  const auto options = std::make_shared<FairnessOptions>();
  add_system_option(*verb, systems, options->system);
  add_size_option(*verb, options->work.load_bytes);
  add_work_options(*verb, options->work);
  verb->add_option("--seconds", options->seconds, "How long each phase is measured (default 2)")
      ->check(CLI::Range(0.05, 600.0))
      ->option_text("S");
  verb->add_option("--most", options->most, "Exit code 3 if the ratio is more than this")
      ->check(CLI::Range(0.01, 1'000.0))
      ->option_text("RATIO");
  add_timeout_option(*verb, options->work.timeout);
  add_format_option(*verb, options->format);
  verb->footer(kFairnessExamples + describe_systems(systems));
  verb->callback([&systems, &exit_code, options] { exit_code = run(systems, *options); });
}

}  // namespace zpost::bench
