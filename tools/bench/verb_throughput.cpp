#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "tools/bench/options.h"
#include "tools/bench/payload.h"
#include "tools/bench/progress.h"
#include "tools/bench/report_json.h"
#include "tools/bench/report_text.h"
#include "tools/bench/throughput.h"
#include "tools/bench/verbs.h"

namespace zpost::bench {
namespace {

constexpr const char* kThroughputExamples = R"(
Examples:
  zpost-bench throughput --system nats
  zpost-bench throughput --system redis --size 1KiB --pairs 4 --seconds 5
  zpost-bench throughput --messages 1000000 --format json

Exit codes: 0 all arrived once, in order and intact; 2 usage; 3 something did not;
4 a server or client failed; 6 timed out.

)";

struct ThroughputOptions {
  std::string system;
  ThroughputWork work;
  QuotaOptions quota;
  Format format = Format::kText;
};

ExitCode run(const Systems& systems, ThroughputOptions& options) {
  const System& system = find_system(systems, options.system);
  if (!system.measures(Measure::kThroughput)) {
    throw CLI::ValidationError(fmt::format("{} measures round trips only", options.system));
  }
  options.work.quota = options.quota.quota();

  const Progress progress;
  progress.show(fmt::format("{}: sending", options.system));
  const ThroughputRun result = run_throughput(system, options.work);
  progress.clear();
  fmt::print("{}", options.format == Format::kJson
                       ? json::throughput(system, options.work, result)
                       : text::throughput(system, options.work, result));
  return exit_code_for(result.record, result.flawless());
}

}  // namespace

void add_throughput_verb(CLI::App& app, const Systems& systems, ExitCode& exit_code) {
  auto* const verb = app.add_subcommand(
      "throughput", "How many messages a second N senders get through to N receivers");
  const auto options = std::make_shared<ThroughputOptions>();
  add_system_option(*verb, systems, options->system);
  add_size_option(*verb, options->work.payload_bytes);
  verb->add_option("--pairs", options->work.pairs, "Senders, and receivers (default 1)")
      ->check(CLI::Range(std::uint32_t{1}, kMaxPairs))
      ->option_text("N");
  add_quota_options(*verb, options->quota);
  add_timeout_option(*verb, options->work.timeout);
  add_format_option(*verb, options->format);
  verb->footer(kThroughputExamples + describe_systems(systems));
  verb->callback([&systems, &exit_code, options] { exit_code = run(systems, *options); });
}

}  // namespace zpost::bench
