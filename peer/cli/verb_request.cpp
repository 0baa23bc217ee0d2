// zpost-peer request: asks once and prints the reply, or all of a stream of replies.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>

#include "peer/cli/body_options.h"
#include "peer/cli/body_source.h"
#include "peer/cli/received.h"
#include "peer/cli/reply_waiter.h"
#include "peer/cli/shared/connect.h"
#include "peer/cli/shared/json.h"
#include "peer/cli/shared/outcome_words.h"
#include "peer/cli/shared/output.h"
#include "peer/cli/shared/stop_signals.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/units.h"
#include "peer/cli/verbs.h"
#include "zpost/protocol/names.h"

namespace zpost::cli {
namespace {

constexpr const char* kRequestFooter = R"(
Examples:
  zpost-peer request upper "is anybody there?"
  zpost-peer request --timeout 1m --body-file question.txt oracle
  echo '{"op": "add"}' | zpost-peer request --content-type application/json calculator -
  zpost-peer request --service thumbnails --body-file picture.png --raw > small.png
  zpost-peer request --stream --timeout 1h --service build "make all"

Without BODY it is read from standard input, unless that is a terminal: then it is empty, as with "".
With --service one of those who offer it replies, the broker chooses who. Ctrl-C cancels the request:
whoever works on it is told. Of several replies the first is printed and the rest cancelled, which is
said on standard error; the exit code is 0. --stream prints them all.
With --format json a request that fails prints an object as well, behind the replies that came: to, outcome
(as in no-peer, timed-out), text and, if it was sent, id.
A worker that is killed says no goodbye: the broker waits 30 s (its session.resume) for it to come
back before the outcome is lost. The default --timeout of 10 s ends sooner: give a longer one to be told.
Exit codes: 0 replied, 3 rejected or not delivered (why is said), 4 no broker, 5 refused, 6 no reply in
time, 128+N interrupted by signal N.)";

struct RequestOptions {
  CommonOptions common;
  std::vector<std::string> arguments;  // TO and BODY; with a service only BODY.
  std::string to;                      // A peer, or a service if it `is_call`.
  bool is_call = false;
  BodySource source;
  std::string content_type;
  std::string trace;
  milliseconds timeout{10'000};
  bool raw = false;
  bool stream = false;
  bool idempotent = false;
};

using Reply = peer::Answer<peer::Message>;

void check_body(const BodySource& source) {
  if (!source.text || source.file.empty()) return;
  throw CLI::ValidationError(fmt::format("BODY and {} exclude each other", kBodyFile));
}

void check_arguments(RequestOptions& options, bool has_service) {
  options.is_call = has_service;
  std::vector<std::string> rest = options.arguments;
  if (!has_service) {
    if (rest.empty()) throw CLI::RequiredError("TO (or --service)");
    options.to = rest.front();
    rest.erase(rest.begin());
  }
  if (!is_name(options.to)) {
    throw CLI::ValidationError(
        fmt::format("{}: \"{}\" is not a name: [A-Za-z0-9][A-Za-z0-9._-]{{0,63}}",
                    has_service ? "--service" : "TO", visible_line(options.to)));
  }
  if (rest.size() > 1) throw CLI::ValidationError("BODY is one argument: quote it");
  if (!rest.empty()) options.source.text = rest.front();
  check_body(options.source);
  if (options.idempotent && !has_service) {
    throw CLI::ValidationError("--idempotent is for --service: only a service has other workers");
  }
  if (!options.source.is_given() && is_fed(STDIN_FILENO)) options.source.text = "-";
}

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

/// A request that failed, as JSON tells it. Without `id` it was not sent.
void put_failure(Output& output, const RequestOptions& options, std::optional<std::uint64_t> id,
                 Outcome outcome, const std::string& text) {
  if (options.common.format != Format::kJson) return;
  Json json = Json::object();
  if (id) json["id"] = json_id(*id);
  json["to"] = options.to;
  json["outcome"] = outcome == Outcome::kNone ? "failed" : outcome_name(outcome);
  if (!text.empty()) json["text"] = text;
  output.put(to_line(json));
  output.flush();
}

std::string failure_text(const peer::Failure& failure, const std::string& to) {
  if (failure.fault != peer::Fault::kFailed) return visible_line(failure.text);
  if (failure.outcome == Outcome::kRejected) {
    return fmt::format("rejected by {}: {}", to, visible_line(failure.text));
  }
  return "not delivered: " + outcome_text(failure.outcome, to);
}

ExitCode interrupted(const StopSignals& stop, const std::string& what) {
  complain("interrupted: " + what);
  return interrupted_by(stop.signal());
}

/// The library would take the first reply of several in silence; so all are asked for.
class Asking {
 public:
  Asking(const RequestOptions& options, peer::Peer& peer, const StopSignals& stop)
      : options_(options), peer_(peer), stop_(stop) {}

  [[nodiscard]] ExitCode run(const std::string& body) {
    const peer::Answer<std::uint64_t> id = ask(body);
    const ExitCode code = id ? wait(*id) : tell_failure(id.error(), std::nullopt);
    peer_.close(milliseconds(0));
    return code;
  }

 private:
  static constexpr milliseconds kGlance{50};      // How long a signal may go unnoticed.
  static constexpr milliseconds kFarewell{1000};  // For the broker to say that it is cancelled.

  [[nodiscard]] peer::Answer<std::uint64_t> ask(const std::string& body) {
    peer::SendOptions how{options_.content_type, options_.source.is_argument() && is_utf8(body),
                          true, options_.timeout};
    how.idempotent = options_.idempotent;
    how.trace = options_.trace;
    const auto bytes = as_bytes(body);
    const milliseconds timeout = options_.timeout;
    return options_.is_call
               ? peer_.call_stream(options_.to, bytes, timeout, waiter_.sink(), how)
               : peer_.request_stream(options_.to, bytes, timeout, waiter_.sink(), how);
  }

  [[nodiscard]] ExitCode wait(std::uint64_t id) {
    for (;;) {
      const std::optional<Reply> reply = waiter_.next(kGlance);
      if (reply && !*reply) return tell_failure(reply->error(), id);
      if (reply && !print(**reply)) {
        (void)peer_.cancel(id);  // Nobody reads what else comes.
        return output_.failed() ? ExitCode::kFailed : ExitCode::kAsWanted;
      }
      if (reply && !(*reply)->more) return ExitCode::kAsWanted;
      if (reply && !options_.stream) return decline_the_rest(id);
      if (stop_.asked()) return cancel(id);
    }
  }

  /// One reply was asked for and is printed, but its sender has more to say.
  [[nodiscard]] ExitCode decline_the_rest(std::uint64_t id) {
    (void)peer_.cancel(id);
    complain(fmt::format("{} offered more replies than this one; --stream prints them all",
                         options_.to));
    return ExitCode::kAsWanted;
  }

  /// A reply may still come first.
  [[nodiscard]] ExitCode cancel(std::uint64_t id) {
    (void)peer_.cancel(id);
    while (const std::optional<Reply> reply = waiter_.next(kFarewell)) {
      if (!*reply) break;
      const bool is_enough = !print(**reply) || !(*reply)->more || !options_.stream;
      if (is_enough) return ExitCode::kAsWanted;
    }
    const std::string text =
        fmt::format("{} has not replied{} yet", options_.to, options_.stream ? " in full" : "");
    put_failure(output_, options_, id, Outcome::kCancelled, text);
    return interrupted(stop_, text);
  }

  [[nodiscard]] ExitCode tell_failure(const peer::Failure& failure,
                                      std::optional<std::uint64_t> id) {
    if (failure.fault == peer::Fault::kInvalid) {
      put_failure(output_, options_, id, Outcome::kTooLarge, failure.text);
      complain("not delivered: too-large: " + visible_line(failure.text));
      return ExitCode::kNotDelivered;
    }
    if (failure.fault == peer::Fault::kTimedOut) return tell_timeout(id);
    put_failure(output_, options_, id, failure.outcome,
                reason_text(failure.outcome, options_.to, failure.text));
    complain(failure_text(failure, options_.to));
    return exit_code_of(failure);
  }

  [[nodiscard]] ExitCode tell_timeout(std::optional<std::uint64_t> id) {
    std::string text =
        fmt::format("no reply from {} within {}", options_.to, duration_text(options_.timeout));
    if (!options_.is_call) text += own_name_text(options_.to, peer_.name(), "only asks");
    put_failure(output_, options_, id, Outcome::kTimedOut, text);
    complain("timed out: " + text);
    if (!peer_.connected()) complain(fmt::format("no broker at {}", peer_.endpoint()));
    return ExitCode::kTimedOut;
  }

  /// False: nobody reads it.
  [[nodiscard]] bool print(const peer::Message& reply) {
    // An empty reply ends a stream that says nothing else with it.
    const bool is_end = options_.stream && !reply.more && reply.body.empty();
    if (is_end && options_.common.format != Format::kJson) return true;
    output_.put(shown(reply, options_));
    return output_.flush();
  }

  const RequestOptions& options_;
  peer::Peer& peer_;
  const StopSignals& stop_;
  ReplyWaiter waiter_;
  Output output_;
};

/// There is no body to ask with.
ExitCode tell_unread(const Error& error, const RequestOptions& options, const StopSignals& stop) {
  const bool failed = error.code == Outcome::kCancelled || error.code == Outcome::kTooLarge;
  Output output;
  if (failed) put_failure(output, options, std::nullopt, error.code, error.text);
  if (error.code == Outcome::kCancelled) return interrupted(stop, error.text);
  complain(error.text);
  return failed ? ExitCode::kNotDelivered : ExitCode::kUsage;
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
  if (!body) return tell_unread(body.error(), options, stop);
  return Asking(options, *peer, stop).run(*body);
}

}  // namespace

void add_request_verb(CLI::App& app, Program& program) {
  CLI::App* const verb =
      app.add_subcommand("request", "Ask a peer or a service and print the reply");
  verb->footer(kRequestFooter);
  const auto options = std::make_shared<RequestOptions>();
  verb->add_option("TO", options->arguments,
                   "Who is to answer, and the question: TO BODY; - is standard input")
      ->option_text(" ");
  CLI::Option* const service =
      verb->add_option("--service", options->to, "Ask whoever offers this service, instead of TO")
          ->option_text("NAME");
  add_body_file_option(*verb, options->source, "Ask with this file as BODY");
  verb->add_flag("--stream", options->stream, "Print every reply, until the last");
  verb->add_flag("--idempotent", options->idempotent,
                 "With --service: it may be done twice, so another worker may take it over");
  add_duration_option(*verb, "--timeout", options->timeout, "How long to wait (default 10s)");
  add_content_type_option(*verb, options->content_type, "What the body is");
  add_trace_option(*verb, options->trace);
  verb->add_flag("--raw", options->raw, "Print the reply's bytes and nothing else");
  add_connection_options(*verb, options->common);
  add_format_option(*verb, options->common);
  verb->callback([options, service, &program] {
    check_arguments(*options, service->count() > 0);
    program.end = run(*options, program.software);
  });
}

}  // namespace zpost::cli
