// zpost-peer recv: prints what is sent to a name.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>

#include "peer/cli/file_saver.h"
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
#include "zpost/peer/memory.h"

namespace zpost::cli {
namespace {

constexpr const char* kRecvFooter = R"help(
Examples:
  zpost-peer recv --as bob
  zpost-peer recv --as bob --count 1 --timeout 5s
  zpost-peer recv --as bob --raw --count 1 > picture.png
  zpost-peer recv --as bob --format json | jq .body
  zpost-peer recv --as bob --save ~/Downloads
  zpost-peer recv --as bob --save . --count 1 --overwrite

An envelope counts as taken when it was written. Requests are answered with a no, unless whoever asks
does not take answers.
With --save, files that others send (zpost-peer send --file) are saved in DIR under their own name, or
as "NAME (2)" if that is taken; what is not all there yet is in DIR/.NAME.….part, and goes on when it
is sent again. --count then counts files; other envelopes are printed as usual.
Exit codes: 0 as wanted or ended by a signal, 1 a file could not be saved here, 2 no such DIR, 4 no
broker, 5 refused, 6 nothing came for --timeout, and nothing before or less than --count.)help";

struct RecvOptions {
  CommonOptions common;
  std::uint64_t count = 0;  // 0: without end.
  std::optional<milliseconds> timeout;
  bool raw = false;
  std::string save;  // The folder for files; empty: none are taken.
  bool overwrite = false;
};

/// One run of the verb.
class Receiving {
 public:
  Receiving(const RecvOptions& options, peer::Peer& peer, std::optional<SaveFolder> folder)
      : options_(options),
        peer_(peer),
        stop_(peer),
        watch_(peer),
        refusals_(peer),
        palette_(wants_colour(STDOUT_FILENO)) {
    if (!folder) return;
    files_.emplace(FileSaver::Parts{peer_, output_, refusals_, palette_}, std::move(*folder),
                   options_.save, options_.common.format);
  }

  [[nodiscard]] ExitCode run() {
    peer::Batch batch;
    while (wanted() > 0 && !stop_.asked() && !watch_.is_over()) {
      if (!receive(batch)) break;
      for (const EnvelopeView& view : batch.envelopes()) show(view);
      if (files_) files_->tick();
      // What was not written is not taken: its sender is told that it may be lost.
      if (!output_.flush()) {
        nobody_reads_ = true;
        break;
      }
      peer_.take();
    }
    if (files_) {
      files_->leave();
      output_.flush();
    }
    if (const std::string text = refusals_.dropped_text(); !text.empty()) complain(text);
    const ExitCode code = end();
    peer_.close(milliseconds(1000));
    return code;
  }

 private:
  using Clock = std::chrono::steady_clock;

  /// How many envelopes or, with --save, files.
  [[nodiscard]] std::size_t wanted() const {
    if (options_.count == 0) return SIZE_MAX;
    return options_.count - std::min(options_.count, counted_ones());
  }

  [[nodiscard]] std::uint64_t counted_ones() const { return files_ ? files_->saved() : shown_; }

  /// False: nothing came in time. With --save it may return with nothing before that, since files
  /// want to be looked after.
  [[nodiscard]] bool receive(peer::Batch& batch) {
    const milliseconds timeout = options_.timeout.value_or(peer::kForever);
    if (!files_) return peer_.receive_batch(batch, timeout, wanted());
    const Clock::time_point now = Clock::now();
    if (peer_.receive_batch(batch, std::min(timeout, files_->wait()))) {
      came_ = Clock::now();
      return true;
    }
    batch = peer::Batch();
    return !options_.timeout || now - came_ < timeout;
  }

  void show(const EnvelopeView& view) {
    const Received envelope = received(view);
    if (files_ && files_->handle(view, envelope.body.content_type)) return;
    if (view.kind() == Kind::kRequest) return reject(view, envelope.body.content_type);
    ++shown_;
    if (options_.raw) return output_.put(received_raw(envelope));
    if (options_.common.format == Format::kJson) return output_.put(received_json(envelope));
    output_.put(received_text(envelope, palette_, wall_clock_ns()));
  }

  void reject(const EnvelopeView& view, std::string_view content_type) {
    const bool is_file = content_type == kOfferType;
    const std::string reason =
        is_file ? takes_no_files(peer_.name()) : peer_.name() + " only receives";
    if (refusals_.say_no(view.from, view.id, reason)) {
      complain(fmt::format("said no to a {} from {}: this only receives{}",
                           is_file ? "file" : "request", view.from,
                           is_file ? " envelopes; --save DIR takes files" : ""));
    }
    peer_.add_demand(1);
  }

  [[nodiscard]] ExitCode end() const {
    if (output_.failed() || (files_ && files_->failed())) return ExitCode::kFailed;
    if (watch_.is_over()) return ExitCode::kRefused;
    const std::uint64_t had = counted_ones();
    const bool too_few = options_.count == 0 ? had + shown_ == 0 : had < options_.count;
    if (stop_.asked() || !options_.timeout || !too_few || nobody_reads_) return ExitCode::kAsWanted;
    complain(too_few_text(had, files_ ? "file" : "envelope", *options_.timeout, options_.count));
    return ExitCode::kTimedOut;
  }

  const RecvOptions& options_;
  peer::Peer& peer_;
  StopSignals stop_;
  SessionWatch watch_;
  Refusals refusals_;
  Palette palette_;
  Output output_;
  std::optional<FileSaver> files_;
  Clock::time_point came_ = Clock::now();  // When anything came last.
  std::uint64_t shown_ = 0;
  bool nobody_reads_ = false;
};

peer::Options peer_options(const RecvOptions& options, const std::string& software) {
  // Little in hand: what is not printed at the end is lost to its sender.
  constexpr std::size_t kFewFrames = 2;
  constexpr std::size_t kFewBytes = 256 << 10;
  constexpr std::size_t kForFiles = 4 << 20;  // A file's sender loses nothing: it starts over.
  peer::Options wanted;
  wanted.software = software;
  wanted.outcomes = peer::OutcomeReports::kNone;
  wanted.take = peer::TakeMode::kExplicit;
  if (!options.save.empty()) {
    wanted.window_bytes = kForFiles;
    return wanted;
  }
  wanted.demand = options.count;
  if (options.count == 0) wanted.window_frames = kFewFrames;
  wanted.window_bytes = kFewBytes;
  return wanted;
}

ExitCode run(const RecvOptions& options, const std::string& software) {
  std::optional<SaveFolder> folder;
  if (!options.save.empty()) {
    Result<SaveFolder> opened = SaveFolder::open(options.save, options.overwrite);
    if (!opened) {
      complain("cannot save files in " + visible_line(opened.error().text));
      return ExitCode::kUsage;
    }
    folder.emplace(std::move(*opened));
    peer::keep_free_memory();
  }
  Result<peer::Peer, ExitCode> peer = connect(options.common, peer_options(options, software));
  if (!peer) return peer.error();
  if (options.common.name.empty()) note(fmt::format("receiving as {}", peer->name()));
  return Receiving(options, *peer, std::move(folder)).run();
}

}  // namespace

void add_recv_verb(CLI::App& app, Program& program) {
  CLI::App* const verb = app.add_subcommand("recv", "Print what is sent to you");
  verb->footer(kRecvFooter);
  const auto options = std::make_shared<RecvOptions>();
  const auto timeout = std::make_shared<milliseconds>();
  add_count_option(*verb, "--count", options->count, "End after so many; with --save, files");
  CLI::Option* const timed =
      add_duration_option(*verb, "--timeout", *timeout, "End when nothing came for so long");
  CLI::Option* const raw = verb->add_flag("--raw", options->raw,
                                          "Only the bodies, as they are; a line feed after texts");
  add_connection_options(*verb, options->common);
  add_display_option(*verb, options->common);
  add_format_option(*verb, options->common);
  raw->excludes(verb->get_option("--format"));
  CLI::Option* const save =
      verb->add_option("--save", options->save, "Save files that are sent to you in this folder")
          ->option_text("DIR")
          ->excludes(raw)
          ->check([](const std::string& dir) { return dir.empty() ? "DIR is empty" : ""; });
  verb->add_flag("--overwrite", options->overwrite, "Let a file replace one of the same name")
      ->needs(save);
  verb->callback([options, timeout, timed, &program] {
    if (timed->count() > 0) options->timeout = *timeout;
    program.end = run(*options, program.software);
  });
}

}  // namespace zpost::cli
