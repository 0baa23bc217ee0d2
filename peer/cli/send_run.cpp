#include "peer/cli/send_run.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "peer/cli/body_options.h"
#include "peer/cli/send_report.h"
#include "peer/cli/shared/connect.h"
#include "peer/cli/shared/outcome_words.h"
#include "peer/cli/shared/output.h"
#include "peer/cli/shared/session_watch.h"
#include "peer/cli/shared/stop_signals.h"
#include "peer/cli/shared/units.h"

namespace zpost::cli {
namespace {

using Clock = std::chrono::steady_clock;

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
    const std::string own = own_name_text(options_.task.to, peer_.name(), "only sends");
    complain(fmt::format("timed out: {} did not take {} within {}{}", options_.task.to,
                         counted(left, "envelope"), how_long,
                         own.empty() ? "; they may still be delivered" : own));
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

}  // namespace

void check_source(SendOptions& options) {
  if (options.source.text && !options.source.file.empty()) {
    throw CLI::ValidationError(fmt::format("TEXT and {} exclude each other", kBodyFile));
  }
  if (!options.source.is_given()) {
    if (!options.lines)
      throw CLI::ValidationError(fmt::format("say what to send: TEXT, - or {} FILE", kBodyFile));
    options.source.text = "-";
  }
  if (options.lines && options.source.is_argument()) {
    throw CLI::ValidationError(
        fmt::format("--lines reads standard input (-) or {}, not an argument", kBodyFile));
  }
}

ExitCode send_and_report(const SendOptions& options, const std::string& software) {
  peer::Options wanted;
  wanted.software = software;
  wanted.outcomes = options.common.format == Format::kJson ? peer::OutcomeReports::kAll
                                                           : peer::OutcomeReports::kFailures;
  Result<peer::Peer, ExitCode> peer = connect(options.common, std::move(wanted));
  if (!peer) return peer.error();
  return Sending(options, *peer).run();
}

}  // namespace zpost::cli
