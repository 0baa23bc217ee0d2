// zpost-peer recv: prints what is sent to a name.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>

#include "peer/cli/received.h"
#include "peer/cli/shared/connect.h"
#include "peer/cli/shared/output.h"
#include "peer/cli/shared/refusals.h"
#include "peer/cli/shared/session_watch.h"
#include "peer/cli/shared/stop_signals.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/timestamps.h"
#include "peer/cli/shared/units.h"
#include "peer/cli/verbs.h"

namespace zpost::cli {
namespace {

constexpr const char* kFooter = R"(
Examples:
  zpost-peer recv --as bob
  zpost-peer recv --as bob --count 1 --timeout 5s
  zpost-peer recv --as bob --raw --count 1 > picture.png
  zpost-peer recv --as bob --format json | jq .body

An envelope counts as taken when it was written. Requests are answered with a no, unless whoever asks
does not take answers.
Exit codes: 0 as wanted or ended by a signal, 4 no broker, 5 refused, 6 less than --count in time.)";

struct RecvOptions {
  CommonOptions common;
  std::uint64_t count = 0;  // 0: without end.
  std::optional<milliseconds> timeout;
  bool raw = false;
};

/// One run of the verb.
class Receiving {
 public:
  Receiving(const RecvOptions& options, peer::Peer& peer)
      : options_(options),
        peer_(peer),
        stop_(peer),
        watch_(peer),
        refusals_(peer),
        palette_(wants_colour(STDOUT_FILENO)) {}

  [[nodiscard]] ExitCode run() {
    const milliseconds timeout = options_.timeout.value_or(peer::kForever);
    peer::Batch batch;
    while (wanted() > 0 && !stop_.asked()) {
      if (!peer_.receive_batch(batch, timeout, wanted())) break;
      for (const EnvelopeView& view : batch.envelopes()) show(view);
      // What was not written is not taken: its sender is told that it may be lost.
      if (!output_.flush()) {
        nobody_reads_ = true;
        break;
      }
      peer_.take();
    }
    if (const std::string text = refusals_.dropped_text(); !text.empty()) complain(text);
    const ExitCode code = end();
    peer_.close(milliseconds(1000));
    return code;
  }

 private:
  [[nodiscard]] std::size_t wanted() const {
    return options_.count == 0 ? SIZE_MAX : options_.count - shown_;
  }

  void show(const EnvelopeView& view) {
    const Received envelope = received(view);
    if (view.kind() == Kind::kRequest) return reject(view);
    ++shown_;
    if (options_.raw) return output_.put(received_raw(envelope));
    if (options_.common.format == Format::kJson) return output_.put(received_json(envelope));
    output_.put(received_text(envelope, palette_, wall_clock_ns()));
  }

  void reject(const EnvelopeView& view) {
    if (refusals_.say_no(view.from, view.id, peer_.name() + " only receives")) {
      complain(fmt::format("said no to a request from {}: this only receives", view.from));
    }
    peer_.add_demand(1);
  }

  [[nodiscard]] ExitCode end() const {
    if (output_.failed()) return ExitCode::kFailed;
    if (watch_.is_over()) return ExitCode::kRefused;
    const bool too_few = options_.count == 0 ? shown_ == 0 : shown_ < options_.count;
    if (stop_.asked() || !options_.timeout || !too_few || nobody_reads_) return ExitCode::kAsWanted;
    complain(fmt::format("timed out: {} in {}{}", counted(shown_, "envelope"),
                         duration_text(*options_.timeout),
                         options_.count == 0 ? "" : fmt::format(", wanted {}", options_.count)));
    return ExitCode::kTimedOut;
  }

  const RecvOptions& options_;
  peer::Peer& peer_;
  StopSignals stop_;
  SessionWatch watch_;
  Refusals refusals_;
  Palette palette_;
  Output output_;
  std::uint64_t shown_ = 0;
  bool nobody_reads_ = false;
};

peer::Options peer_options(const RecvOptions& options, const std::string& software) {
  // Little in hand: what is not printed at the end is lost to its sender.
  constexpr std::size_t kFewFrames = 2;
  constexpr std::size_t kFewBytes = 256 << 10;
  peer::Options wanted;
  wanted.software = software;
  wanted.outcomes = peer::OutcomeReports::kNone;
  wanted.take = peer::TakeMode::kExplicit;
  wanted.demand = options.count;
  if (options.count == 0) wanted.window_frames = kFewFrames;
  wanted.window_bytes = kFewBytes;
  return wanted;
}

ExitCode run(const RecvOptions& options, const std::string& software) {
  Result<peer::Peer, ExitCode> peer = connect(options.common, peer_options(options, software));
  if (!peer) return peer.error();
  if (options.common.name.empty()) note(fmt::format("receiving as {}", peer->name()));
  return Receiving(options, *peer).run();
}

}  // namespace

void add_recv_verb(CLI::App& app, Program& program) {
  CLI::App* const verb = app.add_subcommand("recv", "Print what is sent to you");
  verb->footer(kFooter);
  const auto options = std::make_shared<RecvOptions>();
  const auto timeout = std::make_shared<milliseconds>();
  add_count_option(*verb, "--count", options->count, "End after so many");
  CLI::Option* const timed =
      add_duration_option(*verb, "--timeout", *timeout, "End when nothing came for so long");
  CLI::Option* const raw = verb->add_flag("--raw", options->raw,
                                          "Only the bodies, as they are; a line feed after texts");
  add_connection_options(*verb, options->common);
  add_display_option(*verb, options->common);
  add_format_option(*verb, options->common);
  raw->excludes(verb->get_option("--format"));
  verb->callback([options, timeout, timed, &program] {
    if (timed->count() > 0) options->timeout = *timeout;
    program.end = run(*options, program.software);
  });
}

}  // namespace zpost::cli
