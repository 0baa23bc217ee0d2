// zpost-peer send: bodies to one recipient, and what became of them.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "peer/cli/body_source.h"
#include "peer/cli/send_files.h"
#include "peer/cli/send_lines.h"
#include "peer/cli/send_report.h"
#include "peer/cli/shared/connect.h"
#include "peer/cli/shared/output.h"
#include "peer/cli/shared/session_watch.h"
#include "peer/cli/shared/stop_signals.h"
#include "peer/cli/shared/units.h"
#include "peer/cli/verbs.h"

namespace zpost::cli {
namespace {

constexpr const char* kFooter = R"(
Examples:
  zpost-peer send --as alice bob "hello"
  date | zpost-peer send bob -
  zpost-peer send --content-type image/png bob - < picture.png
  tail -f app.log | zpost-peer send --as logs --lines bob
  zpost-peer send --file big.iso bob                # bob: zpost-peer recv --as bob --save DIR
  zpost-peer send bob --file *.jpg

With --file each file goes as a file, of any size, in pieces: it is whole under its name at the
recipient, or not there; broken off, it goes on where it was when it is sent again. Without it
everything is one envelope, a file on standard input as well.
A signal ends the stream of --lines: what was read by then still has its outcome waited for.
Exit codes: 0 delivered, 1 a file changed or could not be read on, 2 usage, 3 not delivered (the
outcome is named), 4 no broker, 5 refused, 6 no outcome in time, 128+N interrupted by signal N before
all had its outcome.)";

enum class Wait { kDelivered, kSent };

struct SendOptions {
  CommonOptions common;
  SendTask task;
  BodySource source;
  bool lines = false;
  Wait wait = Wait::kDelivered;
  std::vector<std::string> arguments;  // After TO: one TEXT, or more files.
  std::vector<std::string> files;
};

std::string check_wait(const std::string& text) {
  if (text == "delivered" || text == "sent") return "";
  if (text == "queued") {
    return "\"queued\" comes with durable mail, which this version does not have; use delivered or "
           "sent";
  }
  return fmt::format("\"{}\" is none of delivered, sent", text);
}

/// `send bob --file *.jpg` means all of them; in another order nobody knows who gets what.
bool are_files(const CLI::App& verb) {
  std::vector<const CLI::Option*> order(verb.parse_order().begin(), verb.parse_order().end());
  const auto place = [&](const char* name) {
    return std::ranges::find(order, verb.get_option(name)) - order.begin();
  };
  return place("TO") < place("--file") && place("--file") < place("TEXT");
}

void check_files(SendOptions& options, const CLI::App& verb) {
  if (!options.arguments.empty() && !are_files(verb)) {
    throw CLI::ValidationError(
        "TEXT and --file exclude each other; for several files: send TO --file FILE FILE ..., or "
        "--file for each");
  }
  for (const char* const option : {"--content-type", "--wait"}) {
    if (verb.get_option(option)->count() == 0) continue;
    throw CLI::ValidationError(fmt::format(
        "{} is for envelopes, not for files; a file as one envelope: send TO - < FILE", option));
  }
  std::ranges::move(options.arguments, std::back_inserter(options.files));
}

void check_source(SendOptions& options) {
  if (options.arguments.size() > 1 || options.files.size() > 1) {
    throw CLI::ValidationError(options.lines ? "--lines reads one file"
                                             : "TEXT is one argument: quote it");
  }
  if (!options.arguments.empty()) options.source.text = options.arguments.front();
  if (!options.files.empty()) options.source.file = options.files.front();
  if (options.source.text && !options.source.file.empty()) {
    throw CLI::ValidationError("TEXT and --file exclude each other");
  }
  if (!options.source.is_given()) {
    if (!options.lines) throw CLI::ValidationError("say what to send: TEXT, - or --file FILE");
    options.source.text = "-";
  }
  if (options.lines && options.source.is_argument()) {
    throw CLI::ValidationError("--lines reads standard input (-) or --file, not an argument");
  }
}

/// One run of the verb.
class Sending {
 public:
  Sending(const SendOptions& options, peer::Peer& peer)
      : options_(options),
        peer_(peer),
        stop_(peer),
        watch_(peer),
        report_(options.common.format, options.lines,
                {[this](const std::string& line) { output_.put(line); }, complain}),
        sender_(peer, options.task, report_, [this] { return stop_.asked() || watch_.is_over(); }) {
  }

  [[nodiscard]] ExitCode run() {
    ExitCode code = send();
    if (code == ExitCode::kAsWanted && stop_.asked() && sender_.unsent() > 0) {
      code = interrupted(counted(sender_.unsent(), "envelope") + " not sent");
    }
    if (code == ExitCode::kAsWanted) code = wait_for_outcomes();
    if (options_.wait == Wait::kSent) (void)peer_.wait_settled(kLastFrames);
    sender_.pass_on_outcomes();
    // What it calls lost for us may still be delivered, and that was said where it matters.
    const bool settled = peer_.close(milliseconds(0));
    report_.finish();
    output_.flush();
    if (report_.failures() > 0) return ExitCode::kNotDelivered;
    if (code != ExitCode::kAsWanted) return code;
    if (watch_.is_over()) return ExitCode::kRefused;
    if (output_.failed()) return ExitCode::kFailed;
    return settled || options_.wait == Wait::kSent ? code : ExitCode::kNotDelivered;
  }

 private:
  // Long enough for a healthy broker to say what it refuses.
  static constexpr milliseconds kLastFrames{50};

  ExitCode send() {
    if (options_.lines) {
      const Result<InputFile> input = open_input(options_.source);
      if (!input) return usage(input.error());
      return sender_.send_stream(input->descriptor());
    }
    const std::size_t limit = peer_.welcome().max_envelope_bytes;
    const Result<std::string> body =
        read_body(options_.source, limit, [this] { return stop_.asked(); });
    if (body) return sender_.send_one(*body, options_.source.is_argument());
    if (body.error().code == Outcome::kCancelled) return interrupted(body.error().text);
    if (body.error().code != Outcome::kTooLarge) return usage(body.error());
    report_.too_large(1, body.error().text);
    return ExitCode::kNotDelivered;
  }

  static ExitCode usage(const Error& error) {
    complain(error.text);
    return ExitCode::kUsage;
  }

  /// As long as there is progress. The signal that ended a stream does not end this as well; the
  /// next one does.
  ExitCode wait_for_outcomes() {
    if (options_.wait == Wait::kSent) {
      peer_.flush();
      return ExitCode::kAsWanted;
    }
    using Clock = std::chrono::steady_clock;
    const bool ended_stream = options_.lines && stop_.asked();
    std::uint64_t left = peer_.statistics().unsettled;
    Clock::time_point progress = Clock::now();
    while (left > 0) {
      const bool settled = peer_.wait_settled(options_.task.timeout);
      sender_.pass_on_outcomes();
      output_.flush();
      const std::uint64_t now = peer_.statistics().unsettled;
      if (settled || now == 0 || watch_.is_over()) return ExitCode::kAsWanted;
      if (stop_.asked() && !ended_stream) {
        return interrupted(counted(now, "envelope") +
                           " without an outcome; they may still be delivered");
      }
      if (now != left) progress = Clock::now();
      if (Clock::now() - progress >= options_.task.timeout) return timed_out(now);
      left = now;
    }
    return ExitCode::kAsWanted;
  }

  [[nodiscard]] ExitCode interrupted(const std::string& what) const {
    complain("interrupted: " + what);
    return interrupted_by(stop_.signal());
  }

  ExitCode timed_out(std::uint64_t left) const {
    const std::string how_long = duration_text(options_.task.timeout) + " (--timeout)";
    if (!peer_.connected()) {
      complain(fmt::format("no broker at {} for {}; {} without an outcome", peer_.endpoint(),
                           how_long, counted(left, "envelope")));
      return ExitCode::kUnreachable;
    }
    complain(fmt::format("timed out: {} did not take {} within {}; they may still be delivered",
                         options_.task.to, counted(left, "envelope"), how_long));
    return ExitCode::kTimedOut;
  }

  const SendOptions& options_;
  peer::Peer& peer_;
  StopSignals stop_;
  SessionWatch watch_;
  Output output_;
  SendReport report_;
  LineSender sender_;
};

ExitCode run(const SendOptions& options, const std::string& software) {
  peer::Options wanted;
  wanted.software = software;
  wanted.outcomes = options.common.format == Format::kJson ? peer::OutcomeReports::kAll
                                                           : peer::OutcomeReports::kFailures;
  Result<peer::Peer, ExitCode> peer = connect(options.common, std::move(wanted));
  if (!peer) return peer.error();
  return Sending(options, *peer).run();
}

}  // namespace

void add_send_verb(CLI::App& app, Program& program) {
  CLI::App* const verb = app.add_subcommand("send", "Send to one peer and say what became of it");
  verb->footer(kFooter);
  const auto options = std::make_shared<SendOptions>();
  add_recipient(*verb, options->task.to, "Who is to get it");
  verb->add_option("TEXT", options->arguments,
                   "What to send; - is standard input. After --file: more files")
      ->option_text(" ");
  verb->add_option("--file", options->files,
                   "Send this file, for recv --save; again for more, or TO first and then all")
      ->option_text("FILE")
      ->allow_extra_args(false)  // Else it takes TO.
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  verb->add_flag("--lines", options->lines,
                 "Send each line of standard input or --file, as it comes");
  verb->add_option_function<std::string>(
          "--wait",
          [options](const std::string& text) {
            options->wait = text == "sent" ? Wait::kSent : Wait::kDelivered;
          },
          "What to wait for: delivered (default), or only sent")
      ->check(check_wait)
      ->option_text("delivered|sent");
  CLI::Option* const timeout =
      add_duration_option(*verb, "--timeout", options->task.timeout,
                          "Give up after so long without progress (default 10s, files 60s)");
  add_content_type_option(*verb, options->task.content_type, "What the body is");
  add_connection_options(*verb, options->common);
  add_format_option(*verb, options->common);
  verb->callback([options, verb, timeout, &program] {
    if (!options->files.empty() && !options->lines) {
      check_files(*options, *verb);
      SendFilesOptions files{options->common, options->task.to, options->files};
      if (timeout->count() > 0) files.timeout = options->task.timeout;
      program.end = send_files(files, program.software);
      return;
    }
    check_source(*options);
    program.end = run(*options, program.software);
  });
}

}  // namespace zpost::cli
