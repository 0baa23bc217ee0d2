// zpost-inspect snapshot: what the flight recorder holds, into a file; at once, or when something
// happens.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "peer/cli/shared/connect.h"
#include "peer/cli/shared/output.h"
#include "peer/cli/shared/stop_signals.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/timestamps.h"
#include "peer/cli/shared/units.h"
#include "tools/inspect/capture_options.h"
#include "tools/inspect/filter_option.h"
#include "tools/inspect/look_back.h"
#include "tools/inspect/recorder_words.h"
#include "tools/inspect/refusal.h"
#include "tools/inspect/snapshot_file.h"
#include "tools/inspect/span_option.h"
#include "tools/inspect/tap_feed.h"
#include "tools/inspect/tap_options.h"
#include "tools/inspect/verbs.h"

namespace zpost::inspect {
namespace {

using cli::ExitCode;
using std::chrono::milliseconds;

constexpr std::uint64_t kNsOfMs = 1'000'000;

constexpr const char* kSnapshotFooter = R"(
Examples:
  zpost-inspect snapshot -w before.pcapng                    all that the recorder holds
  zpost-inspect snapshot -w before.pcapng --last 5m --filter 'from = "lab-*"'
  zpost-inspect snapshot -w loss.pcapng --on 'outcome = lost' --last 30s --after 5s
  zpost-inspect snapshot -w slow.jsonl.gz --on 'event = delivered and latency > 1s' --times 10
  zpost-inspect snapshot -w odd.pcapng --on 'body.temp > 90' --from 'lab-*'

The recorder has the latest of all that the broker did, whether or not somebody watched
(recorder.memory), though no bodies; how many records it missed is in the file and said.
With --on it waits until a record matches, then writes what came before and, from the tap with
bodies, what comes after; with --times each goes to a file of its own. --filter, --from, --to, --kind
and --events choose what is written, not what is waited for.
Exit codes: 0 written, 1 cannot write or nothing to write, 4 no broker, 5 refused, 6 no answer,
128 and the signal: nothing happened before it.)";

struct SnapshotOptions {
  cli::CommonOptions common;
  TapWish wish;
  std::set<TapEvent> events;
  std::optional<filter::Filter> filter;  // As in the wish.
  CaptureOptions capture;
  Redactions redactions;
  milliseconds last{0};  // 0: all.
  std::string trigger;   // Empty: at once.
  std::optional<filter::Filter> on;
  milliseconds after{1000};
  std::uint64_t times = 1;
};

peer::Options observer(const std::string& software) {
  peer::Options wanted;
  wanted.software = software;
  wanted.outcomes = peer::OutcomeReports::kNone;
  wanted.take = peer::TakeMode::kExplicit;
  wanted.name = cli::fresh_name("inspect");
  return wanted;
}

std::uint64_t in_nanoseconds(milliseconds time) {
  return static_cast<std::uint64_t>(time.count()) * kNsOfMs;
}

bool check(const Result<void>& done) {
  if (!done) cli::complain(done.error().text);
  return done.has_value();
}

/// Writes snapshots. `recorder` is asked, and has no tap.
class Snapshots {
 public:
  Snapshots(const SnapshotOptions& options, CapturePlan plan, peer::Peer& recorder)
      : options_(options), plan_(std::move(plan)), recorder_(recorder) {}

  /// Begins a file with what the recorder holds from `until_ns` - --last on.
  [[nodiscard]] ExitCode begin(std::uint64_t moment_ns) {
    ++written_;
    CapturePlan plan = plan_;
    if (options_.times > 1) plan.path = part_path(plan_.path, written_, moment_ns);
    path_ = plan.path;
    EntryChoice choice{TailFilter(options_.events, !options_.wish.kinds.empty(), options_.filter)};
    file_.emplace(std::move(plan), options_.redactions, std::move(choice));
    return recall(moment_ns);
  }

  [[nodiscard]] bool add_live(const TapEntry& entry) {
    return check(file_->add_live(entry, cli::wall_clock_ns()));
  }

  [[nodiscard]] bool turn() { return check(file_->turn(cli::wall_clock_ns())); }

  /// Ends the file and says what is in it.
  [[nodiscard]] bool finish() {
    if (!has_file()) {
      cli::complain(fmt::format("nothing to write: no record is such a one; there is no new {}",
                                cli::visible_line(path_)));
      return false;
    }
    if (!check(file_->finish(cli::wall_clock_ns()))) return false;
    const CaptureWriter& writer = file_->writer();
    const capture::Totals& totals = writer.totals();
    cli::note(fmt::format("{} to {}, {} missed, {}", cli::counted(totals.records, "record"), path_,
                          totals.missed == 0 ? "none" : cli::count_text(totals.missed),
                          cli::size_text(writer.bytes())));
    return true;
  }

  /// Whether anything of the latest was written.
  [[nodiscard]] bool has_file() const { return file_ && file_->is_begun(); }

  [[nodiscard]] std::uint64_t written() const { return written_; }

 private:
  static constexpr milliseconds kPatience{5000};

  [[nodiscard]] ExitCode recall(std::uint64_t moment_ns) {
    RecallWish wish{.from = options_.wish.from, .to = options_.wish.to};
    wish.kinds = options_.wish.kinds;
    wish.filter = options_.wish.filter;
    if (options_.last.count() > 0) {
      wish.since_ns = moment_ns - std::min(moment_ns, in_nanoseconds(options_.last));
    }
    bool fine = true;
    const auto end = stream_back(recorder_, wish, kPatience, [this, &fine](const TapEntry& entry) {
      fine = fine && check(file_->add_recalled(entry, cli::wall_clock_ns()));
    });
    if (!end) {
      cli::complain("the broker does not look back: " + cli::visible_line(end.error().text));
      return exit_code_of(end.error());
    }
    if (!fine) return ExitCode::kFailed;
    if (end->oldest_ns == 0) {
      cli::complain("the recorder holds nothing: " + recorder_reach(*end, moment_ns));
      return ExitCode::kFailed;
    }
    if (end->oldest_ns > wish.since_ns && wish.since_ns > 0) {
      cli::note("the recorder does not hold all of that: " + recorder_reach(*end, moment_ns));
    }
    return ExitCode::kAsWanted;
  }

  const SnapshotOptions& options_;
  const CapturePlan plan_;
  peer::Peer& recorder_;
  std::optional<SnapshotFile> file_;
  std::string path_;
  std::uint64_t written_ = 0;
};

/// Waits for what --on says, again and again.
class Triggered {
 public:
  Triggered(const SnapshotOptions& options, Snapshots& snapshots, peer::Peer& watcher)
      : options_(options), snapshots_(snapshots), watcher_(watcher), stop_(watcher) {}

  [[nodiscard]] ExitCode run() {
    while (snapshots_.written() < options_.times) {
      const std::optional<std::uint64_t> moment_ns = wait();
      if (end_ != ExitCode::kAsWanted) return end_;
      if (!moment_ns) return interrupted();
      end_ = write(*moment_ns);
      if (end_ != ExitCode::kAsWanted || stop_.asked()) break;
    }
    return end_;
  }

 private:
  /// What was already written is what was wanted, for somebody who ends the waiting.
  [[nodiscard]] ExitCode interrupted() const {
    return snapshots_.written() > 0 ? ExitCode::kAsWanted : cli::interrupted_by(stop_.signal());
  }

  /// When the wanted record was made; nothing: a signal came, or the session is over.
  [[nodiscard]] std::optional<std::uint64_t> wait() {
    TapFeed feed(watcher_,
                 {.from = {}, .to = {}, .kinds = {}, .snap = 0, .filter = options_.trigger});
    EntryChoice choice{TailFilter({}, false, options_.on)};
    end_ = feed.open();
    if (end_ != ExitCode::kAsWanted) return std::nullopt;
    cli::note(fmt::format("waiting at {} for {}; Ctrl-C ends", watcher_.endpoint(),
                          cli::visible_line(options_.trigger)));
    while (!stop_.asked()) {
      if (feed.is_over()) {
        end_ = ExitCode::kRefused;
        return std::nullopt;
      }
      const bool came = feed.receive();
      std::optional<std::uint64_t> moment_ns;
      for (const TapEntry& entry : feed.entries()) {
        if (!moment_ns && choice.wants(entry)) moment_ns = entry.record.time_ns;
      }
      if (came) feed.take();
      if (moment_ns) return moment_ns;
    }
    return std::nullopt;
  }

  [[nodiscard]] ExitCode write(std::uint64_t moment_ns) {
    cli::note(fmt::format("it happened at {}", cli::local_time_us(moment_ns)));
    // The tap first: what comes while the recorder is read must not be missed.
    TapWish wish = options_.wish;
    wish.snap = UINT64_MAX;
    wish.each = true;
    TapFeed feed(watcher_, std::move(wish));
    if (options_.after.count() > 0) {
      if (const ExitCode code = feed.open(); code != ExitCode::kAsWanted) return code;
    }
    if (const ExitCode code = snapshots_.begin(moment_ns); code != ExitCode::kAsWanted) return code;
    // By this machine's clock, as the broker's may differ.
    const std::uint64_t end_ns = cli::wall_clock_ns() + in_nanoseconds(options_.after);
    bool fine = true;
    while (fine && !stop_.asked() && !feed.is_over() && cli::wall_clock_ns() < end_ns) {
      const bool came = feed.receive();
      for (const TapEntry& entry : feed.entries()) fine = fine && snapshots_.add_live(entry);
      if (came) feed.take();
      fine = fine && snapshots_.turn();
    }
    fine = snapshots_.finish() && fine;
    return fine ? ExitCode::kAsWanted : ExitCode::kFailed;
  }

  const SnapshotOptions& options_;
  Snapshots& snapshots_;
  peer::Peer& watcher_;
  cli::StopSignals stop_;
  ExitCode end_ = ExitCode::kAsWanted;
};

/// What does not go together; empty: nothing.
std::string contradiction(const SnapshotOptions& options, const CapturePlan& plan) {
  if (options.trigger.empty() && options.times > 1) return "--times goes with --on";
  if (options.times > 1 && plan.path == "-") {
    return "--times writes several files: standard output is one";
  }
  return "";
}

ExitCode run(SnapshotOptions& options, const std::string& software) {
  Result<CapturePlan> plan = complete(options.capture);
  const std::string wrong = plan ? contradiction(options, *plan) : plan.error().text;
  if (!wrong.empty()) {
    cli::complain(wrong);
    return ExitCode::kUsage;
  }
  if (!compile_filter(options.trigger, options.on)) return ExitCode::kUsage;
  if (options.filter && options.filter->looks_into_envelopes()) {
    cli::complain(
        "the recorder has no bodies and content types: --filter cannot ask for them; --on may");
    return ExitCode::kUsage;
  }
  Result<peer::Peer, ExitCode> recorder = cli::connect(options.common, observer(software));
  if (!recorder) return recorder.error();
  plan->program = software;
  plan->source = recorder->endpoint();
  for (const std::string& each : options.redactions.words) {
    plan->comments.push_back("redacted: " + each);
  }
  if (!options.trigger.empty()) plan->comments.push_back("on: " + options.trigger);
  Snapshots snapshots(options, std::move(*plan), *recorder);
  if (options.trigger.empty()) {
    const ExitCode code = snapshots.begin(cli::wall_clock_ns());
    // What is wrong was said; a part of a file is ended as a whole one.
    if (code != ExitCode::kAsWanted && !snapshots.has_file()) return code;
    return snapshots.finish() ? code : ExitCode::kFailed;
  }
  cli::CommonOptions again = options.common;
  again.name.clear();
  Result<peer::Peer, ExitCode> watcher = cli::connect(again, observer(software));
  if (!watcher) return watcher.error();
  return Triggered(options, snapshots, *watcher).run();
}

}  // namespace

void add_snapshot_verb(CLI::App& app, Program& program) {
  CLI::App* const verb = app.add_subcommand(
      "snapshot", "Write what the flight recorder holds to a file, now or when something happens");
  verb->footer(kSnapshotFooter);
  const auto options = std::make_shared<SnapshotOptions>();
  add_capture_options(*verb, options->capture);
  verb->get_option("--write")->required();
  cli::add_choice_option(
      *verb, "--format", {"pcapng", "json"},
      [options](std::size_t place) { options->capture.format = static_cast<CaptureFormat>(place); },
      "pcapng, or json: one object a line (default: by the file's ending)");
  add_span_option(*verb, "--last", options->last, "Only what came so long before (default: all)");
  CLI::Option* const trigger =
      verb->add_option("--on", options->trigger,
                       "Wait until such a record comes; tail --help has the fields")
          ->option_text("FILTER");
  cli::add_duration_option(*verb, "--after", options->after,
                           "With --on: and what comes so long after (default 1s)")
      ->needs(trigger);
  cli::add_count_option(*verb, "--times", options->times,
                        "With --on: so often, each to a file of its own (default 1)");
  add_choice_of_records(*verb, options->wish, options->events, &options->filter);
  add_redact_option(*verb, options->redactions);
  cli::add_connection_options(*verb, options->common);
  verb->callback([options, &program] { program.end = run(*options, program.software); });
}

}  // namespace zpost::inspect
