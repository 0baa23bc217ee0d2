#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "tools/bench/amplification.h"
#include "tools/bench/memory.h"
#include "tools/bench/options.h"
#include "tools/bench/progress.h"
#include "tools/bench/report_json.h"
#include "tools/bench/report_text.h"
#include "tools/bench/verbs.h"

namespace zpost::bench {
namespace {

constexpr const char* kMemoryExamples = R"(
The peers stand in a ring, and each sends to the next. A run that the machine's limits do not allow
fails at once and names the limit: a peer of zpost's library takes three threads. Memory is the growth of the server's resident
memory since its start, before any envelope and after all of them; idle is measured in between.

With --amplification the small envelopes of 64 bytes go to a peer that stands still (SIGSTOP),
alternating with envelopes of 4,095 bytes to peers that read. The server's memory above its start
must stay within its limit.

Examples:
  zpost-bench memory --system zpost-simple
  zpost-bench memory --system router-hwm1000 --peers 100 --format json
  zpost-bench memory --amplification --memory 64MiB

Exit codes: 0 all arrived once, in order and intact; 2 usage; 3 something did not, or the limit was
exceeded; 4 a server or client failed; 6 timed out.

)";

struct MemoryOptions {
  std::string system;
  MemoryWork work;
  bool amplification = false;
  AmplificationWork amplification_work;
  std::optional<std::uint64_t> envelopes;  // Each kind of run has its own default.
  double idle_seconds = 5;
  Format format = Format::kText;
};

ExitCode run_ring(const System& system, MemoryOptions& options) {
  options.work.envelopes = options.envelopes.value_or(options.work.envelopes);
  options.work.idle = std::chrono::duration<double>(options.idle_seconds);
  const Progress progress;
  progress.show(fmt::format("{}: {} peers", system.name(), options.work.peers));
  const MemoryRun result = run_memory(system, options.work);
  progress.clear();
  fmt::print("{}", options.format == Format::kJson ? json::memory(system, options.work, result)
                                                   : text::memory(system, options.work, result));
  return exit_code_for(result.record, result.flawless());
}

ExitCode run_mixed(const System& system, MemoryOptions& options) {
  AmplificationWork& work = options.amplification_work;
  work.envelopes = options.envelopes.value_or(work.envelopes);
  work.timeout = options.work.timeout;
  const Progress progress;
  progress.show(fmt::format("{}: {} senders", system.name(), work.senders));
  const AmplificationRun result = run_amplification(system, work);
  progress.clear();
  fmt::print("{}", options.format == Format::kJson ? json::amplification(system, work, result)
                                                   : text::amplification(system, work, result));
  return exit_code_for(result.record, result.flawless(work));
}

ExitCode run(const Systems& systems, MemoryOptions& options) {
  const System& system = find_system(systems, options.system);
  if (options.amplification) {
    require_measure(systems, system, Measure::kAmplification, "memory --amplification");
    return run_mixed(system, options);
  }
  require_measure(systems, system, Measure::kMemory, "memory");
  return run_ring(system, options);
}

}  // namespace

void add_memory_verb(CLI::App& app, const Systems& systems, ExitCode& exit_code) {
  auto* const verb =
      app.add_subcommand("memory", "What many peers cost the server: KiB a peer, and idle CPU");
  const auto options = std::make_shared<MemoryOptions>();
  add_system_option(*verb, systems, options->system);
  auto* const peers = verb->add_option("--peers", options->work.peers, "Peers (default 1000)")
                          ->check(CLI::Range(std::uint32_t{2}, kMaxRingPeers))
                          ->option_text("N");
  verb->add_option("--envelopes", options->envelopes,
                   "Of each peer (default 1000), or large ones of each sender (default 100000)")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 32))
      ->option_text("N");
  add_size_option(*verb, options->work.payload_bytes);
  auto* const idle =
      verb->add_option("--idle", options->idle_seconds, "How long to watch idle CPU (default 5)")
          ->check(CLI::Range(0.0, 3600.0))
          ->option_text("SECONDS");
  verb->add_flag("--amplification", options->amplification,
                 "Small envelopes to a stopped peer between large ones to others")
      ->excludes(peers)
      ->excludes(idle)
      ->excludes("--size");
  add_memory_limit_option(*verb, options->amplification_work.memory_bytes);
  verb->get_option("--memory")->needs("--amplification");
  add_timeout_option(*verb, options->work.timeout);
  add_format_option(*verb, options->format);
  verb->footer(kMemoryExamples + describe_systems(systems));
  verb->callback([&systems, &exit_code, options] { exit_code = run(systems, *options); });
}

}  // namespace zpost::bench
