// zpost-inspect: see the traffic.
#include <CLI/CLI.hpp>

#include "peer/cli/shared/run_program.h"
#include "tools/inspect/verbs.h"

namespace zpost::inspect {
namespace {

constexpr const char* kFooter = R"(
Examples:
  zpost-inspect tail
  zpost-inspect tail --from alice --events failed
  zpost-inspect top
  zpost-inspect why --last --from alice --to bob
  zpost-inspect capture -w trace.pcapng
  zpost-inspect read trace.pcapng --stats
  zpost-inspect replay trace.pcapng --requests
  zpost-inspect snapshot -w before.pcapng --last 5m
  zpost-inspect graph --last 5m | dot -Tsvg
  zpost-inspect route --from alice --to bob
  zpost-inspect doctor

Every verb has --help with examples.
Exit codes: 0 as wanted, 1 failed here (a full disk), 2 usage, 4 broker unreachable, 5 refused, 6 timed out.)";

cli::ExitCode run(int argc, char** argv) {
  Program program;
  program.software = "zpost-inspect " ZPOST_VERSION;
  CLI::App app("See what a zpost broker does.", "zpost-inspect");
  app.set_version_flag("--version", std::string(program.software));
  app.footer(kFooter);
  app.require_subcommand(1);
  add_doctor_verb(app, program);
  add_route_verb(app, program);
  add_tail_verb(app, program);
  add_top_verb(app, program);
  add_why_verb(app, program);
  add_capture_verb(app, program);
  add_read_verb(app, program);
  add_replay_verb(app, program);
  add_snapshot_verb(app, program);
  add_graph_verb(app, program);
  return cli::run_verb(app, argc, argv, program.end);
}

}  // namespace
}  // namespace zpost::inspect

int main(int argc, char** argv) {
  return zpost::cli::run_program([argc, argv] { return zpost::inspect::run(argc, argv); });
}
