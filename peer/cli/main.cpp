// zpost-peer: be a peer from the shell.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "peer/cli/shared/output.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/verbs.h"

namespace zpost::cli {
namespace {

constexpr const char* kFooter = R"(
Examples:
  zpost-peer chat --as alice --to bob
  zpost-peer send --as alice bob "hello"
  zpost-peer recv --as bob --count 1

Every verb has --help with examples.
Exit codes: 0 as wanted, 2 usage, 3 not delivered, 4 broker unreachable, 5 refused, 6 timed out.)";

int run(int argc, char** argv) {
  Program program;
  program.software = "zpost-peer " ZPOST_VERSION;
  CLI::App app("Be a named peer of a zpost broker from the shell.", "zpost-peer");
  app.set_version_flag("--version", std::string(program.software));
  app.footer(kFooter);
  app.require_subcommand(1);
  add_chat_verb(app, program);
  add_send_verb(app, program);
  add_recv_verb(app, program);
  add_request_verb(app, program);
  add_serve_verb(app, program);
  add_who_verb(app, program);
  // CLI11 would only say that a subcommand is missing.
  const auto is_meant = [&](const CLI::App* verb) { return verb->check_name(argv[1]); };
  if (argc > 1 && *argv[1] != '-' && app.get_subcommands(is_meant).empty()) {
    complain(fmt::format("there is no verb {}; zpost-peer --help lists them", argv[1]));
    return static_cast<int>(ExitCode::kUsage);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::kUsage);
  }
  return static_cast<int>(program.end);
}

}  // namespace
}  // namespace zpost::cli

int main(int argc, char** argv) {
  zpost::cli::use_utf8();
  zpost::cli::ignore_broken_pipes();
  return zpost::cli::run(argc, argv);
}
