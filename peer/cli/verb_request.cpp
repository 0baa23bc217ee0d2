// zpost-peer request: asks once and prints the reply.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <future>
#include <memory>

#include "peer/cli/body_source.h"
#include "peer/cli/received.h"
#include "peer/cli/shared/connect.h"
#include "peer/cli/shared/outcome_words.h"
#include "peer/cli/shared/output.h"
#include "peer/cli/shared/stop_signals.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/units.h"
#include "peer/cli/verbs.h"
#include "zpost/protocol/names.h"

namespace zpost::cli {
namespace {

constexpr const char* kFooter = R"(
Examples:
  zpost-peer request upper "is anybody there?"
  zpost-peer request --timeout 1m --file question.txt oracle
  echo '{"op": "add"}' | zpost-peer request --content-type application/json calculator -

Exit codes: 0 replied, 3 rejected or not delivered (why is said), 4 no broker, 5 refused, 6 no reply in
time, 128+N interrupted by signal N.)";

struct RequestOptions {
  CommonOptions common;
  std::string to;
  BodySource source;
  std::string content_type;
  milliseconds timeout{10'000};
  bool raw = false;
};

using Reply = peer::Answer<peer::Message>;

std::string shown(const peer::Message& reply, const RequestOptions& options) {
  const Received envelope = received(reply);
  if (options.common.format == Format::kJson) return received_json(envelope);
  if (options.raw) return std::string(reply.text());
  const ReadableBody body = readable(envelope.body);
  // A pipe gets the bytes; a terminal only what is safe for it.
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  if (body.form == BodyForm::kBinary && !terminal) return std::string(reply.text());
  std::string text = terminal ? visible_block(body.text, 0) : body.text;
  if (!text.ends_with('\n')) text += '\n';
  return text;
}

std::string failure_text(const peer::Failure& failure, const std::string& to) {
  if (failure.fault != peer::Fault::kFailed) return visible_line(failure.text);
  if (failure.outcome == Outcome::kRejected) {
    return fmt::format("rejected by {}: {}", to, visible_line(failure.text));
  }
  return "not delivered: " + outcome_text(failure.outcome, to);
}

ExitCode tell(const Reply& reply, const RequestOptions& options, const peer::Peer& peer) {
  if (reply) {
    Output output;
    output.put(shown(*reply, options));
    output.flush();
    return output.failed() ? ExitCode::kFailed : ExitCode::kAsWanted;
  }
  const peer::Failure& failure = reply.error();
  if (failure.fault == peer::Fault::kInvalid) {
    complain("not delivered: too-large: " + visible_line(failure.text));
    return ExitCode::kNotDelivered;
  }
  if (failure.fault == peer::Fault::kTimedOut) {
    complain(fmt::format("timed out: no reply from {} within {}", options.to,
                         duration_text(options.timeout)));
    if (!peer.connected()) complain(fmt::format("no broker at {}", peer.endpoint()));
    return ExitCode::kTimedOut;
  }
  complain(failure_text(failure, options.to));
  return exit_code_of(failure);
}

ExitCode interrupted(const StopSignals& stop, const std::string& what) {
  complain("interrupted: " + what);
  return interrupted_by(stop.signal());
}

ExitCode run(const RequestOptions& options, const std::string& software) {
  peer::Options wanted;
  wanted.software = software;
  Result<peer::Peer, ExitCode> peer = connect(options.common, std::move(wanted));
  if (!peer) return peer.error();
  const StopSignals stop(*peer);
  Result<std::string> body = std::string();
  if (options.source.is_given()) {
    body = read_body(options.source, peer->welcome().max_envelope_bytes,
                     [&stop] { return stop.asked(); });
  }
  if (!body) {
    if (body.error().code == Outcome::kCancelled) return interrupted(stop, body.error().text);
    complain(body.error().text);
    return body.error().code == Outcome::kTooLarge ? ExitCode::kNotDelivered : ExitCode::kUsage;
  }
  constexpr milliseconds kGlance{50};  // How long a signal may go unnoticed.
  const bool text = options.source.is_argument() && is_utf8(*body);
  std::future<Reply> reply = peer->request(options.to, as_bytes(*body), options.timeout,
                                           {options.content_type, text, true, options.timeout});
  while (reply.wait_for(kGlance) != std::future_status::ready) {
    if (!stop.asked()) continue;
    peer->close(milliseconds(0));
    return interrupted(stop, fmt::format("{} has not replied yet", options.to));
  }
  const ExitCode code = tell(reply.get(), options, *peer);
  peer->close(milliseconds(0));
  return code;
}

}  // namespace

void add_request_verb(CLI::App& app, Program& program) {
  CLI::App* const verb = app.add_subcommand("request", "Ask one peer and print its reply");
  verb->footer(kFooter);
  const auto options = std::make_shared<RequestOptions>();
  add_recipient(*verb, options->to, "Who is to answer");
  CLI::Option* const body =
      verb->add_option("BODY", options->source.text, "The question; - is standard input")
          ->option_text(" ");
  verb->add_option("--file", options->source.file, "Send this file")
      ->excludes(body)
      ->option_text("FILE");
  add_duration_option(*verb, "--timeout", options->timeout, "How long to wait (default 10s)");
  add_content_type_option(*verb, options->content_type, "What the body is");
  verb->add_flag("--raw", options->raw, "Print the reply's bytes and nothing else");
  add_connection_options(*verb, options->common);
  add_format_option(*verb, options->common);
  verb->callback([options, &program] { program.end = run(*options, program.software); });
}

}  // namespace zpost::cli
