#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "tools/bench/latency.h"
#include "tools/bench/options.h"
#include "tools/bench/progress.h"
#include "tools/bench/report_json.h"
#include "tools/bench/report_text.h"
#include "tools/bench/verbs.h"

namespace zpost::bench {
namespace {

constexpr const char* kLatencyExamples = R"(
Examples:
  zpost-bench latency --system nats
  zpost-bench latency --system tcp-relay --round-trips 50000
  zpost-bench latency --size 1KiB --format json

Exit codes: 0 every payload came back intact; 2 usage; 3 one did not; 4 a server or client
failed; 6 timed out.

)";

struct LatencyOptions {
  std::string system;
  LatencyWork work;
  Format format = Format::kText;
};

ExitCode run(const Systems& systems, const LatencyOptions& options) {
  const System& system = find_system(systems, options.system);
  const Progress progress;
  progress.show(fmt::format("{}: {} round trips", options.system, options.work.round_trips));
  const LatencyRun result = run_latency(system, options.work);
  progress.clear();
  fmt::print("{}", options.format == Format::kJson ? json::latency(system, options.work, result)
                                                   : text::latency(system, options.work, result));
  return exit_code_for(result.record, result.flawless());
}

}  // namespace

void add_latency_verb(CLI::App& app, const Systems& systems, ExitCode& exit_code) {
  auto* const verb =
      app.add_subcommand("latency", "How long one message takes there and back again");
  const auto options = std::make_shared<LatencyOptions>();
  const auto count = CLI::Range(std::uint64_t{1}, std::uint64_t{100'000'000});
  add_system_option(*verb, systems, options->system);
  add_size_option(*verb, options->work.payload_bytes);
  verb->add_option("--round-trips", options->work.round_trips, "Measured ones (default 20000)")
      ->check(count)
      ->option_text("N");
  verb->add_option("--warmup", options->work.warmup, "Unmeasured ones before them (default 500)")
      ->check(count)
      ->option_text("N");
  add_timeout_option(*verb, options->work.timeout);
  add_format_option(*verb, options->format);
  verb->footer(kLatencyExamples + describe_systems(systems));
  verb->callback([&systems, &exit_code, options] { exit_code = run(systems, *options); });
}

}  // namespace zpost::bench
