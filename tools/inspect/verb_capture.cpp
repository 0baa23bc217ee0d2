// zpost-inspect capture: what the broker does, into files.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "peer/cli/shared/connect.h"
#include "peer/cli/shared/output.h"
#include "peer/cli/shared/stop_signals.h"
#include "peer/cli/shared/timestamps.h"
#include "peer/cli/shared/units.h"
#include "tools/inspect/capture_options.h"
#include "tools/inspect/redactor.h"
#include "tools/inspect/span_option.h"
#include "tools/inspect/tail_filter.h"
#include "tools/inspect/tap_feed.h"
#include "tools/inspect/tap_options.h"
#include "tools/inspect/verbs.h"

namespace zpost::inspect {
namespace {

using cli::ExitCode;
using std::chrono::milliseconds;

constexpr const char* kCaptureFooter = R"(
Examples:
  zpost-inspect capture -w trace.pcapng                     until Ctrl-C
  zpost-inspect capture -w trace.pcapng.zst --for 10m --max-bytes 1GiB
  zpost-inspect capture -w ring.pcapng --ring-files 10 --file-size 100MiB
  zpost-inspect capture -w failures.jsonl --events failed
  zpost-inspect capture -w trace.pcapng --redact from='payroll-*' --redact field=user.password

The file's ending decides its format: .json or .jsonl is JSON lines as tail --format json prints
them, anything else pcapng for Wireshark, tshark and zpost-inspect read. .gz and .zst compress.
--redact takes from=PATTERN, to=PATTERN, topic=PATTERN (bodies are replaced by a marker) and
field=PATH (in JSON and msgpack bodies; * is any key; a body that is neither is replaced whole).
Wireshark and tshark show what is in it with the plugin zpost.lua: docs/capture.md, "Wireshark".
What was captured is in the file a quarter of a second later, even if this program is killed.
Records that were missed are counted in the file, exactly.
Exit codes: 0 ended by a signal or a limit, 1 cannot write, 4 no broker, 5 refused, 6 no answer.)";

struct CaptureVerbOptions {
  cli::CommonOptions common;
  TapWish wish;
  std::set<TapEvent> events;
  CaptureOptions capture;
  Redactions redactions;
  bool sample = false;
  std::uint64_t snap = UINT64_MAX;  // The broker shows as much as it can.
  bool headers = false;
  std::uint64_t most_bytes = 0;  // Limits; 0: none.
  std::uint64_t most_records = 0;
  milliseconds most_time{0};
};

class Capture {
 public:
  Capture(const CaptureVerbOptions& options, CapturePlan plan, TapWish wish, peer::Peer& peer)
      : options_(options),
        peer_(peer),
        stop_(peer),
        feed_(peer, std::move(wish)),
        redactor_(options.redactions),
        writer_(std::move(plan)) {}

  [[nodiscard]] ExitCode run() {
    begun_ns_ = cli::wall_clock_ns();
    if (const Result<void> opened = writer_.open(begun_ns_); !opened) {
      cli::complain(opened.error().text);
      return ExitCode::kFailed;
    }
    if (const ExitCode code = feed_.open(); code != ExitCode::kAsWanted) {
      return finish() ? code : ExitCode::kFailed;
    }
    cli::note(fmt::format("capturing {} to {}; Ctrl-C ends", peer_.endpoint(),
                          options_.capture.plan.path));
    while (!is_done()) {
      const bool came = feed_.receive();
      now_ns_ = cli::wall_clock_ns();
      for (const TapEntry& entry : feed_.entries()) add(entry);
      if (came) feed_.take();
      if (fine_) check(writer_.turn(now_ns_));
    }
    const ExitCode end = feed_.close();
    if (!finish()) return ExitCode::kFailed;
    say_totals();
    return end;
  }

 private:
  [[nodiscard]] bool is_done() const {
    return !fine_ || stop_.asked() || feed_.is_over() || is_enough() ||
           (options_.most_time.count() > 0 && now_ns_ >= begun_ns_ + most_ns());
  }

  [[nodiscard]] bool is_enough() const {
    return (options_.most_records > 0 && writer_.totals().records >= options_.most_records) ||
           (options_.most_bytes > 0 && writer_.bytes() >= options_.most_bytes);
  }

  [[nodiscard]] std::uint64_t most_ns() const {
    constexpr std::uint64_t kNsPerMs = 1'000'000;
    return static_cast<std::uint64_t>(options_.most_time.count()) * kNsPerMs;
  }

  void add(const TapEntry& entry) {
    if (!fine_ || is_enough()) return;
    if (!options_.events.empty() && !options_.events.contains(entry.record.event)) {
      return add_missed(entry);
    }
    const bool redacted = redactor_.apply(entry, redacted_);
    check(writer_.add(redacted ? redacted_ : entry, redacted, now_ns_));
  }

  /// What was missed before a record that nobody wants must be told all the same.
  void add_missed(const TapEntry& entry) {
    if (entry.missed == 0) return;
    TapEntry missed{.record = {}, .from = "", .to = "", .missed = entry.missed};
    missed.record.event = TapEvent::kMissed;
    missed.record.sequence = entry.record.sequence;
    missed.record.time_ns = entry.record.time_ns;
    missed.record.missed = entry.missed;
    check(writer_.add(missed, false, now_ns_));
  }

  /// The first failure ends the capture, and is said with what there was before.
  void check(const Result<void>& done) {
    if (done || !fine_) return;
    fine_ = false;
    cli::complain(fmt::format("{}; {} ({}) written before", done.error().text,
                              cli::counted(writer_.written(), "record"),
                              cli::size_text(writer_.bytes())));
  }

  /// Ends the file, unless what it ends with may be half a record. False: something could not be
  /// written.
  [[nodiscard]] bool finish() {
    if (fine_) check(writer_.finish(cli::wall_clock_ns()));
    return fine_;
  }

  void say_totals() const {
    const capture::Totals& totals = writer_.totals();
    cli::note(fmt::format("{} captured, {} missed, {} in {}",
                          cli::counted(totals.records, "record"),
                          totals.missed == 0 ? "none" : cli::count_text(totals.missed),
                          cli::size_text(writer_.bytes()), cli::counted(writer_.files(), "file")));
  }

  const CaptureVerbOptions& options_;
  peer::Peer& peer_;
  cli::StopSignals stop_;
  TapFeed feed_;
  Redactor redactor_;
  CaptureWriter writer_;
  TapEntry redacted_;
  std::uint64_t begun_ns_ = 0;
  std::uint64_t now_ns_ = 0;
  bool fine_ = true;
};

ExitCode run(CaptureVerbOptions& options, const std::string& software) {
  Result<CapturePlan> plan = complete(options.capture);
  if (!plan) {
    cli::complain(plan.error().text);
    return ExitCode::kUsage;
  }
  peer::Options wanted;
  wanted.software = software;
  wanted.outcomes = peer::OutcomeReports::kNone;
  wanted.take = peer::TakeMode::kExplicit;
  wanted.name = cli::fresh_name("inspect");
  Result<peer::Peer, ExitCode> peer = cli::connect(options.common, std::move(wanted));
  if (!peer) return peer.error();
  plan->program = software;
  plan->source = peer->endpoint();
  for (const std::string& each : options.redactions.words) {
    plan->comments.push_back("redacted: " + each);
  }
  TapWish wish = options.wish;
  wish.snap = options.headers ? 0 : options.snap;
  wish.each = !options.headers && !options.sample;
  if (!options.events.empty()) wish.filter = with_events(wish.filter, options.events);
  return Capture(options, std::move(*plan), std::move(wish), *peer).run();
}

}  // namespace

void add_capture_verb(CLI::App& app, Program& program) {
  CLI::App* const verb =
      app.add_subcommand("capture", "Write what the broker does to a file, for Wireshark and read");
  verb->footer(kCaptureFooter);
  const auto options = std::make_shared<CaptureVerbOptions>();
  add_capture_options(*verb, options->capture);
  verb->get_option("--write")->required();
  cli::add_choice_option(
      *verb, "--format", {"pcapng", "json"},
      [options](std::size_t place) { options->capture.format = static_cast<CaptureFormat>(place); },
      "pcapng, or json: one object a line (default: by the file's ending)");
  add_choice_of_records(*verb, options->wish, options->events);
  verb->add_flag("--headers", options->headers, "No bodies");
  cli::add_size_option(*verb, "--snap", options->snap,
                       "How much of each envelope to keep (default: all the broker shows, 16 KiB)");
  verb->add_flag("--sample", options->sample,
                 "Bodies only of the first of neighbours, --snap bytes together")
      ->excludes("--headers");
  add_redact_option(*verb, options->redactions);
  cli::add_size_option(*verb, "--max-bytes", options->most_bytes, "End at this size of all files");
  cli::add_count_option(*verb, "--count", options->most_records, "End after so many records");
  add_span_option(*verb, "--for", options->most_time, "End after so long");
  cli::add_connection_options(*verb, options->common);
  verb->callback([options, &program] { program.end = run(*options, program.software); });
}

}  // namespace zpost::inspect
