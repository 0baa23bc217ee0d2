// zpost-peer serve: a command answers requests.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <memory>

#include "peer/cli/serve_loop.h"
#include "peer/cli/shared/connect.h"
#include "peer/cli/shared/output.h"
#include "peer/cli/verbs.h"

namespace zpost::cli {
namespace {

constexpr const char* kFooter = R"help(
Examples:
  zpost-peer serve --as upper -- tr a-z A-Z
  zpost-peer serve --as sha --concurrency 4 -- sha256sum
  zpost-peer serve --as clock --count 1 -- date
  zpost-peer serve --as lookup --command-timeout 5s -- sh -c 'grep "$(cat)" names.txt'

The body is the command's standard input, its standard output is the reply. A command that fails
says no: the requester is told its exit status and the last line of its standard error.
The command finds ZPOST_FROM, ZPOST_ID and ZPOST_CONTENT_TYPE in its environment.
Replies to a requester that takes none wait, up to 64 and 4 MiB; more are dropped, and that is said.
Exit codes: 0 ended by a signal or --count, 2 no such command, 4 no broker, 5 refused.)help";

ExitCode run(const ServeOptions& options, const std::string& software) {
  if (!find_program(options.command.front())) {
    complain(fmt::format("there is no command {}", options.command.front()));
    return ExitCode::kUsage;
  }
  // Whoever started us may ignore it; then no command would have an exit status.
  (void)std::signal(SIGCHLD, SIG_DFL);
  SignalDescriptor signals{SIGINT, SIGTERM, SIGCHLD};
  peer::Options wanted;
  wanted.software = software;
  // Little in hand: others may serve what waits at the broker, one day.
  wanted.window_frames = options.concurrency + 1;
  Result<peer::Peer, ExitCode> peer = connect(options.common, std::move(wanted));
  if (!peer) return peer.error();
  if (options.common.name.empty()) note(fmt::format("serving as {}", peer->name()));
  return ServeLoop(options, *peer, signals).run();
}

}  // namespace

void add_serve_verb(CLI::App& app, Program& program) {
  CLI::App* const verb = app.add_subcommand("serve", "Let a command answer requests");
  verb->footer(kFooter);
  const auto options = std::make_shared<ServeOptions>();
  verb->add_option("COMMAND", options->command, "What to run for each request, after --")
      ->required()
      ->option_text("...");
  add_count_option(*verb, "--concurrency", options->concurrency,
                   "How many to run at a time (default 1)");
  add_count_option(*verb, "--count", options->count, "End after so many requests");
  add_duration_option(*verb, "--command-timeout", options->command_timeout,
                      "Stop a command after so long, and say no");
  add_content_type_option(*verb, options->content_type, "What the replies are");
  verb->add_flag("--verbose", options->verbose, "Tell of each request on standard error");
  add_connection_options(*verb, options->common);
  add_display_option(*verb, options->common);
  verb->callback([options, &program] { program.end = run(*options, program.software); });
}

}  // namespace zpost::cli
