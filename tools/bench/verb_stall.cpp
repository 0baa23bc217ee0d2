#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>

#include "tools/bench/options.h"
#include "tools/bench/progress.h"
#include "tools/bench/report_json.h"
#include "tools/bench/report_text.h"
#include "tools/bench/stall.h"
#include "tools/bench/verbs.h"

namespace zpost::bench {
namespace {

constexpr const char* kStallExamples = R"(
Two pairs. First one is alone, while the other is connected and sends nothing: that is its rate
"before". Then the second pair starts, and its receiver is stopped (SIGSTOP) once a tenth of its
payloads has arrived. The first pair's rate from SIGSTOP to SIGCONT is "during". So it is compared
with what it had all to itself, not with the half it has beside a second busy pair. What of the
stall the second pair's sender spent sending (until it is blocked, or into the void) is told apart.

Modes: below silence, the server does not notice; away, it notices, but the receiver is back before
--resume is over; beyond, it is given up. In zpost's ledger what its program took, but had not
acknowledged when it stopped, is told `lost` as well, and counted on its own. --silence is a
write deadline for nats; redis and mosquitto know neither. Their --memory limits one client's
buffer.

Examples:
  zpost-bench stall --mode away
  zpost-bench stall --stop 15 --silence 20 --resume 30
  zpost-bench stall --system nats --mode below --format json

Exit codes: 0 arrived and told lost are all that was sent, once and in order; 2 usage; 3 they are
not; 4 a server or client failed; 6 timed out.

)";

struct StallOptions {
  std::string system;
  StallWork work;
  std::optional<StallMode> mode;
  std::optional<double> stop_seconds;
  std::optional<double> silence_seconds;
  std::optional<double> resume_seconds;
  double before_seconds = 3;
  Format format = Format::kText;
};

StallTimes times_of(const StallOptions& options) {
  const StallTimes times =
      choose_times(options.mode, {.stop = milliseconds_of(options.stop_seconds),
                                  .silence = milliseconds_of(options.silence_seconds),
                                  .resume = milliseconds_of(options.resume_seconds)});
  if (options.mode && times.mode() != *options.mode) {
    throw CLI::ValidationError(
        fmt::format("a stop of {} ms with a silence of {} ms and {} ms to resume is '{}', not '{}'",
                    times.stop.count(), times.silence.count(), times.resume.count(),
                    word_for(times.mode()), word_for(*options.mode)));
  }
  return times;
}

ExitCode run(const Systems& systems, StallOptions& options) {
  const System& system = find_system(systems, options.system);
  require_measure(systems, system, Measure::kStall, "stall");
  StallWork& work = options.work;
  work.times = times_of(options);
  work.before = std::chrono::duration<double>(options.before_seconds);

  const Progress progress;
  progress.show(fmt::format("{}: {} envelopes, {}", system.name(), work.envelopes,
                            word_for(work.times.mode())));
  const StallRun result = run_stall(system, work);
  progress.clear();
  fmt::print("{}", options.format == Format::kJson ? json::stall(system, work, result)
                                                   : text::stall(system, work, result));
  return exit_code_for(result.record, result.flawless());
}

void add_seconds(CLI::App& verb, const char* name, std::optional<double>& seconds,
                 const char* text) {
  verb.add_option(name, seconds, text)->check(CLI::Range(0.5, 3600.0))->option_text("SECONDS");
}

void add_time_options(CLI::App& verb, StallOptions& options) {
  const std::map<std::string, StallMode> modes{
      {"below", StallMode::kBelow}, {"away", StallMode::kAway}, {"beyond", StallMode::kBeyond}};
  verb.add_option("--mode", options.mode, "Times that make a short run of this mode")
      ->transform(CLI::Transformer(modes, CLI::ignore_case))
      ->option_text("below|away|beyond");
  add_seconds(verb, "--stop", options.stop_seconds,
              "How long the receiver stops (15; 3 to 5 with --mode)");
  add_seconds(verb, "--silence", options.silence_seconds, "Quiet time after which it is away (20)");
  add_seconds(verb, "--resume", options.resume_seconds, "Time it has to come back (30)");
  verb.add_option("--before", options.before_seconds, "How long the other pair is alone (3)")
      ->check(CLI::Range(0.1, 3600.0))
      ->option_text("SECONDS");
}

}  // namespace

void add_stall_verb(CLI::App& app, const Systems& systems, ExitCode& exit_code) {
  auto* const verb =
      app.add_subcommand("stall", "What becomes of envelopes for a receiver that stands still");
  const auto options = std::make_shared<StallOptions>();
  add_system_option(*verb, systems, options->system);
  verb->add_option("--envelopes", options->work.envelopes,
                   "For the one that stands still (default 1000000)")
      ->check(CLI::Range(std::uint64_t{1'000}, std::uint64_t{1} << 32))
      ->option_text("N");
  add_size_option(*verb, options->work.payload_bytes);
  add_time_options(*verb, *options);
  add_memory_limit_option(*verb, options->work.memory_bytes);
  add_timeout_option(*verb, options->work.timeout);
  add_format_option(*verb, options->format);
  verb->footer(kStallExamples + describe_systems(systems));
  verb->callback([&systems, &exit_code, options] { exit_code = run(systems, *options); });
}

}  // namespace zpost::bench
