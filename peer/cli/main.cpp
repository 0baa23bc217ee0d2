// zpost-peer: be a peer from the shell.
#include <CLI/CLI.hpp>

#include "peer/cli/shared/run_program.h"
#include "peer/cli/verbs.h"

namespace zpost::cli {
namespace {

constexpr const char* kFooter = R"(
Examples:
  zpost-peer chat --as alice --to bob
  zpost-peer send --as alice bob "hello"
  zpost-peer recv --as bob --count 1

Every verb has --help with examples.
Exit codes: 0 as wanted, 1 failed here (a full disk), 2 usage, 3 not delivered, 4 broker unreachable,
5 refused, 6 timed out, 128+N interrupted by signal N before it was done.)";

ExitCode run(int argc, char** argv) {
  Program program;
  program.software = "zpost-peer " ZPOST_VERSION;
  CLI::App app("Be a named peer of a zpost broker from the shell.", "zpost-peer");
  app.set_version_flag("--version", std::string(program.software));
  app.footer(kFooter);
  app.require_subcommand(1);
  add_chat_verb(app, program);
  add_send_verb(app, program);
  add_recv_verb(app, program);
  add_publish_verb(app, program);
  add_subscribe_verb(app, program);
  add_request_verb(app, program);
  add_serve_verb(app, program);
  add_who_verb(app, program);
  return run_verb(app, argc, argv, program.end);
}

}  // namespace
}  // namespace zpost::cli

int main(int argc, char** argv) {
  return zpost::cli::run_program([argc, argv] { return zpost::cli::run(argc, argv); });
}
