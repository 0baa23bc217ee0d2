// zpost-inspect: see the traffic.
#include <CLI/CLI.hpp>

#include "peer/cli/shared/output.h"
#include "peer/cli/shared/text.h"
#include "tools/inspect/verbs.h"

namespace zpost::inspect {
namespace {

constexpr const char* kFooter = R"(
Examples:
  zpost-inspect tail
  zpost-inspect tail --from alice --events failed

Every verb has --help with examples.
Exit codes: 0 as wanted, 2 usage, 4 broker unreachable, 5 refused, 6 timed out.)";

int run(int argc, char** argv) {
  Program program;
  program.software = "zpost-inspect " ZPOST_VERSION;
  CLI::App app("See what a zpost broker does.", "zpost-inspect");
  app.set_version_flag("--version", std::string(program.software));
  app.footer(kFooter);
  app.require_subcommand(1);
  add_tail_verb(app, program);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(cli::ExitCode::kUsage);
  }
  return static_cast<int>(program.end);
}

}  // namespace
}  // namespace zpost::inspect

int main(int argc, char** argv) {
  zpost::cli::use_utf8();
  zpost::cli::ignore_broken_pipes();
  return zpost::inspect::run(argc, argv);
}
