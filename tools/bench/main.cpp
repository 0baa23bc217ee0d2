// zpost-bench: measures zpost and, with the same work, other message systems.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "tools/bench/interrupt.h"
#include "tools/bench/systems/systems.h"
#include "tools/bench/verbs.h"

namespace zpost::bench {
namespace {

constexpr int kSignalBase = 128;  // As shells report death by a signal.

int to_int(ExitCode code) {
  return static_cast<int>(code);
}

int run(int argc, char** argv) {
  const Systems systems = all_systems();
  ExitCode exit_code = ExitCode::kAsWanted;
  CLI::App app(
      "Measures message systems: servers are started and stopped by the bench itself, on\n"
      "free loopback ports, and every payload is verified.");
  app.footer("Example: zpost-bench compare --with nats,redis --work 64B-1p --rounds 3");
  app.require_subcommand(1);
  add_throughput_verb(app, systems, exit_code);
  add_latency_verb(app, systems, exit_code);
  add_memory_verb(app, systems, exit_code);
  add_stall_verb(app, systems, exit_code);
  add_fairness_verb(app, systems, exit_code);
  add_filter_verb(app, exit_code);
  add_storm_verb(app, exit_code);
  add_recorder_verb(app, exit_code);
  add_compare_verb(app, systems, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : to_int(ExitCode::kUsage);
  }
  return to_int(exit_code);
}

}  // namespace
}  // namespace zpost::bench

int main(int argc, char** argv) {
  zpost::bench::catch_interrupts();
  try {
    return zpost::bench::run(argc, argv);
  } catch (const zpost::bench::Interrupted& interrupted) {
    return zpost::bench::kSignalBase + interrupted.signal;
  } catch (const std::exception& failure) {
    fmt::print(stderr, "zpost-bench: {}\n", failure.what());
    return 1;
  }
}
