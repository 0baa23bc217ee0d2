#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "tools/bench/options.h"
#include "tools/bench/progress.h"
#include "tools/bench/report_json.h"
#include "tools/bench/report_text.h"
#include "tools/bench/storm.h"
#include "tools/bench/verbs.h"

namespace zpost::bench {
namespace {

constexpr const char* kStormExamples = R"(
Every connection is a socket of its own that says hello and stays. The time of each counts from the
moment it was due. All must be welcomed, none refused, within ten seconds after the last attempt.

Examples:
  zpost-bench storm
  zpost-bench storm --rate 500 --seconds 20

Exit codes: 0 all were welcomed; 2 usage; 3 some were not; 4 a server or client failed; 6 timed out.

)";

struct StormOptions {
  StormWork work;
  Format format = Format::kText;
};

ExitCode run(const StormOptions& options) {
  const Progress progress;
  progress.show(fmt::format("{} connections a second", options.work.rate));
  const StormRun result = run_storm(options.work);
  progress.clear();
  fmt::print("{}", options.format == Format::kJson ? json::storm(options.work, result)
                                                   : text::storm(options.work, result));
  return exit_code_for(result.record, result.flawless());
}

}  // namespace

void add_storm_verb(CLI::App& app, ExitCode& exit_code) {
  auto* const verb = app.add_subcommand("storm", "Many peers that connect within seconds");
  const auto options = std::make_shared<StormOptions>();
  verb->add_option("--rate", options->work.rate, "Connections a second (default 2000)")
      ->check(CLI::Range(1, 100'000))
      ->option_text("N");
  verb->add_option("--seconds", options->work.seconds, "For so long (default 5)")
      ->check(CLI::Range(1, 600))
      ->option_text("S");
  add_timeout_option(*verb, options->work.timeout);
  add_format_option(*verb, options->format);
  verb->footer(kStormExamples);
  verb->callback([&exit_code, options] { exit_code = run(*options); });
}

}  // namespace zpost::bench
