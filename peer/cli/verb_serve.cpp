// zpost-peer serve: a command answers requests.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <memory>

#include "peer/cli/serve_loop.h"
#include "peer/cli/shared/connect.h"
#include "peer/cli/shared/outcome_words.h"
#include "peer/cli/shared/output.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/verbs.h"
#include "zpost/protocol/names.h"

namespace zpost::cli {
namespace {

constexpr const char* kServeFooter = R"help(
Examples:
  zpost-peer serve --as upper -- tr a-z A-Z
  zpost-peer serve --as sha --concurrency 4 -- sha256sum
  zpost-peer serve --as clock --count 1 -- date
  zpost-peer serve --service thumbnails --concurrency 4 -- ./make-thumbnail
  zpost-peer serve --service build --stream -- sh -c 'make 2>&1'
  zpost-peer serve --as lookup --command-timeout 5s -- sh -c 'grep "$(cat)" names.txt'

The body is the command's standard input, its standard output is the reply. A command that fails
says no: the requester is told its exit status and the last line of its standard error.
The command finds TRACEPARENT, ZPOST_FROM, ZPOST_ID and ZPOST_CONTENT_TYPE in its environment,
ZPOST_SERVICE and ZPOST_ATTEMPT for a call. With --service the broker gives each call to one of those who offer it, at
most --concurrency at a time. With --stream each line of output is a reply of its own, as it comes.
A command is stopped when its request is cancelled, is too late, or whoever asked is gone.
Replies to a requester that takes none wait, up to 64 and 4 MiB; more are dropped, and that is said.
Exit codes: 0 ended by a signal or --count, 2 no such command, 3 the broker does not take the offer,
4 no broker, 5 refused.)help";

/// False: the broker does not take it, which was said.
bool offer(peer::Peer& peer, const ServeOptions& options) {
  (void)peer.offer(options.service, options.concurrency);
  (void)peer.wait_settled(std::chrono::milliseconds(5000));
  const auto report = peer.next_outcome(std::chrono::milliseconds(0));
  if (!report) return true;
  complain(fmt::format("the broker does not take the offer of {}: {}", options.service,
                       outcome_text(report->outcome, report->to, report->text)));
  return false;
}

std::string check_service(const std::string& text) {
  if (is_name(text)) return "";
  return fmt::format("\"{}\" is not a name: [A-Za-z0-9][A-Za-z0-9._-]{{0,63}}", visible_line(text));
}

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
  if (!options.service.empty() && !offer(*peer, options)) return ExitCode::kNotDelivered;
  return ServeLoop(options, *peer, signals).run();
}

}  // namespace

void add_serve_verb(CLI::App& app, Program& program) {
  CLI::App* const verb = app.add_subcommand("serve", "Let a command answer requests");
  verb->footer(kServeFooter);
  const auto options = std::make_shared<ServeOptions>();
  verb->add_option("COMMAND", options->command, "What to run for each request, after --")
      ->required()
      ->option_text("...");
  verb->add_option("--service", options->service, "Offer this service, with others or alone")
      ->check(check_service)
      ->option_text("NAME");
  verb->add_flag("--stream", options->stream, "Reply with each line of output, as it comes");
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
