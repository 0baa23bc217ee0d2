#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "tools/bench/recorder.h"
#include "tools/bench/verbs.h"

namespace zpost::bench {
namespace {

constexpr const char* kRecorderExamples = R"(
Every envelope is received, forwarded and taken; with --run so many share each record. Looks are what
zpost-inspect why asks for. All of it happens in this process.

Examples:
  zpost-bench recorder
  zpost-bench recorder --mib 64 --run 100

)";

struct RecorderOptions {
  RecorderWork work;
  std::uint64_t mib = 256;
};

ExitCode run(RecorderOptions& options) {
  options.work.bytes = options.mib << 20;
  const RecorderRun result = run_recorder(options.work);
  const auto envelopes = static_cast<double>(result.envelopes);
  fmt::print("{} MiB hold {:.1f} M envelopes: {:.1f} bytes each, {:.0f} ns a record\n", options.mib,
             envelopes / 1e6, static_cast<double>(result.bytes) / envelopes, result.fill_ns);
  fmt::print("reach at 10,000 envelopes/s {:.0f} min, at 1,000,000 {:.0f} s\n",
             envelopes / 10'000 / 60, envelopes / 1e6);
  for (const Look& look : result.looks) {
    fmt::print("{:<38} {:>8.2f} ms  {:>6} records told\n", look.what, look.milliseconds,
               look.records);
  }
  return ExitCode::kAsWanted;
}

}  // namespace

void add_recorder_verb(CLI::App& app, ExitCode& exit_code) {
  auto* const verb = app.add_subcommand(
      "recorder", "What the flight recorder holds, and how long a look into it takes");
  const auto options = std::make_shared<RecorderOptions>();
  verb->add_option("--mib", options->mib, "recorder.memory in MiB (default 256)")
      ->check(CLI::Range(1, 4096))
      ->option_text("N");
  verb->add_option("--peers", options->work.peers, "Senders, and recipients (default 64)")
      ->check(CLI::Range(1, 10'000))
      ->option_text("N");
  verb->add_option("--run", options->work.run, "Envelopes a record (default 1)")
      ->check(CLI::Range(1, 100'000))
      ->option_text("N");
  verb->footer(kRecorderExamples);
  verb->callback([&exit_code, options] { exit_code = run(*options); });
}

}  // namespace zpost::bench
