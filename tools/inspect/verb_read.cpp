// zpost-inspect read: what capture files hold.
#include <fmt/format.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "peer/cli/shared/output.h"
#include "peer/cli/shared/timestamps.h"
#include "peer/cli/shared/units.h"
#include "tools/inspect/capture_merge.h"
#include "tools/inspect/capture_options.h"
#include "tools/inspect/patterns.h"
#include "tools/inspect/protobuf_options.h"
#include "tools/inspect/record_stats.h"
#include "tools/inspect/redactor.h"
#include "tools/inspect/tail_filter.h"
#include "tools/inspect/tail_json.h"
#include "tools/inspect/tail_text.h"
#include "tools/inspect/tap_options.h"
#include "tools/inspect/verbs.h"
#include "zpost/protocol/names.h"

namespace zpost::inspect {
namespace {

using cli::ExitCode;

constexpr const char* kFooter = R"(
Examples:
  zpost-inspect read trace.pcapng                            as tail shows it
  zpost-inspect read trace.pcapng --events failed --format json
  zpost-inspect read trace.pcapng --filter 'kind = request and latency > 20ms'
  zpost-inspect read trace.pcapng --proto lab.desc --proto-type 'lab-*=lab.Command'
  zpost-inspect read trace.pcapng --stats
  zpost-inspect read trace.pcapng -w trace.jsonl.gz          convert
  zpost-inspect read ring_*.pcapng -w all.pcapng             merge by time
  zpost-inspect read big.pcapng -w part.pcapng --file-size 10MiB   split
  zpost-inspect read cut.pcapng --repair -w whole.pcapng     keep what can be read

Reads pcapng as capture writes it, plain or compressed; - is standard input. Several files are read
as one, in the order of time. A file that is cut is read as far as it goes and said to be cut.
Exit codes: 0 read to the end, 1 a file is damaged, cut or cannot be opened or written.)";

struct Options {
  cli::CommonOptions common;
  std::vector<std::string> files;
  TapWish wish;
  std::set<TapEvent> events;
  CaptureOptions capture;
  Redactions redactions;
  ProtobufDecoder protobuf;
  std::uint64_t count = 0;
  bool stats = false;
  bool repair = false;
};

/// What of a record is wanted: by the same rules as tail has, and the broker for it.
class Choice {
 public:
  explicit Choice(const Options& options)
      : wish_(options.wish),
        filter_(options.events, !options.wish.kinds.empty(), compiled(options.wish.filter)) {}

  /// The wanted lines of `entry`, into `lines`.
  void choose(const TapEntry& entry, std::vector<TailLine>& lines) {
    lines.clear();
    append_lines(entry, lines);
    std::erase_if(lines, [this](TailLine& line) { return !wants(line); });
  }

 private:
  [[nodiscard]] bool wants(TailLine& line) {
    if (!filter_.wants(line)) return false;
    if (line.event == TapEvent::kMissed) return true;
    if (line.event == TapEvent::kSession) return is_wanted_session(line.from);
    if (!wish_.from.empty() && !matches_name_pattern(wish_.from, line.from)) return false;
    if (!wish_.to.empty() && !matches_target(wish_.to, line.to)) return false;
    return wish_.kinds.empty() ||
           std::ranges::find(wish_.kinds, static_cast<Kind>(line.kind_number)) != wish_.kinds.end();
  }

  /// As the broker has it: a session is one of a sender and of a recipient.
  [[nodiscard]] bool is_wanted_session(const std::string& name) const {
    if (wish_.from.empty() && wish_.to.empty()) return true;
    return (!wish_.from.empty() && matches_name_pattern(wish_.from, name)) ||
           (!wish_.to.empty() && matches_name_pattern(wish_.to, name));
  }

  /// REQUIRES: text that compiles, as the option's check has seen; or none.
  static std::optional<filter::Filter> compiled(const std::string& text) {
    if (text.empty()) return std::nullopt;
    return *filter::Filter::compile(text);
  }

  const TapWish& wish_;
  TailFilter filter_;
};

class Read {
 public:
  Read(const Options& options, CapturePlan plan)
      : options_(options),
        choice_(options),
        redactor_(options.redactions),
        writes_(!plan.path.empty()),
        writer_(std::move(plan)),
        palette_(cli::wants_colour(STDOUT_FILENO)),
        files_(options.repair ? CaptureMerge::OnDamage::kGoOn : CaptureMerge::OnDamage::kStop,
               [](const std::string& what) { cli::complain(what); }) {}

  [[nodiscard]] ExitCode run() {
    if (!check(files_.open(options_.files))) return ExitCode::kFailed;
    if (writes_ && !check(writer_.open(cli::wall_clock_ns()))) return ExitCode::kFailed;
    while (fine_ && !is_enough()) {
      const CaptureReader* const file = files_.next();
      if (file == nullptr) break;
      take(*file);
    }
    finish();
    if (!fine_ || output_.failed()) return ExitCode::kFailed;
    return files_.damages() > 0 && !options_.repair ? ExitCode::kFailed : ExitCode::kAsWanted;
  }

 private:
  [[nodiscard]] bool is_enough() const { return options_.count > 0 && shown_ >= options_.count; }

  void take(const CaptureReader& file) {
    const bool hidden = redactor_.apply(file.entry(), redacted_);
    const TapEntry& entry = hidden ? redacted_ : file.entry();
    choice_.choose(entry, lines_);
    if (lines_.empty()) return;
    if (options_.stats) return stats_.add(entry);
    if (writes_) {
      ++shown_;
      // Split by the times of the records: when they are read tells nothing.
      fine_ = check(writer_.add(entry, hidden || file.is_redacted(), entry.record.time_ns));
      return;
    }
    for (TailLine& line : lines_) show(line);
  }

  void show(TailLine& line) {
    constexpr std::uint64_t kFlushAfter = 256;
    if (is_enough()) return;
    ++shown_;
    (void)decode_protobuf(options_.protobuf, is_json() ? BodyShape::kJson : BodyShape::kLine, line);
    output_.put(is_json() ? tail_json(line) : tail_text(line, palette_, columns_));
    if (shown_ % kFlushAfter == 0) fine_ = output_.flush() && fine_;
  }

  void finish() {
    if (options_.stats) output_.put(is_json() ? stats_.json() : stats_.text());
    if (!output_.flush()) return;
    if (!writes_) return;
    fine_ = check(writer_.finish(cli::wall_clock_ns())) && fine_;
    const capture::Totals& totals = writer_.totals();
    cli::note(fmt::format("{} written, {} missed, {} in {}", cli::counted(totals.records, "record"),
                          totals.missed == 0 ? "none" : cli::count_text(totals.missed),
                          cli::size_text(writer_.bytes()), cli::counted(writer_.files(), "file")));
  }

  [[nodiscard]] bool is_json() const { return options_.common.format == cli::Format::kJson; }

  [[nodiscard]] static bool check(const Result<void>& done) {
    if (!done) cli::complain(done.error().text);
    return done.has_value();
  }

  const Options& options_;
  Choice choice_;
  Redactor redactor_;
  const bool writes_;
  CaptureWriter writer_;
  cli::Palette palette_;
  cli::Output output_;
  CaptureMerge files_;
  RecordStats stats_;
  TapEntry redacted_;
  std::vector<TailLine> lines_;
  const std::size_t columns_ = 140;
  std::uint64_t shown_ = 0;
  bool fine_ = true;
};

/// Whether both are one file, under whatever name.
bool is_same_file(const std::string& a, const std::string& b) {
  struct stat first = {};
  struct stat second = {};
  return a != "-" && b != "-" && ::stat(a.c_str(), &first) == 0 &&
         ::stat(b.c_str(), &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino && S_ISREG(first.st_mode);
}

/// What does not go together; empty: nothing.
std::string contradiction(const Options& options, const CapturePlan& plan) {
  if (options.stats && !plan.path.empty()) return "--stats shows figures: it goes without -w";
  if (plan.path.empty() && plan.has_parts()) return "there is nothing to split without -w";
  for (const std::string& file : options.files) {
    if (is_same_file(file, plan.path)) {
      return fmt::format("{} would be written over while it is read", file);
    }
  }
  return "";
}

ExitCode run(Options& options, const std::string& software) {
  Result<CapturePlan> plan = complete(options.capture);
  const std::string wrong = plan ? contradiction(options, *plan) : plan.error().text;
  if (!wrong.empty()) {
    cli::complain(wrong);
    return ExitCode::kUsage;
  }
  plan->program = software;
  plan->source = fmt::format("from {}", cli::counted(options.files.size(), "file"));
  for (const std::string& each : options.redactions.words) {
    plan->comments.push_back("redacted: " + each);
  }
  return Read(options, std::move(*plan)).run();
}

}  // namespace

void add_read_verb(CLI::App& app, Program& program) {
  CLI::App* const verb =
      app.add_subcommand("read", "List, filter, convert, merge, split or repair capture files");
  verb->footer(kFooter);
  const auto options = std::make_shared<Options>();
  verb->add_option("FILE", options->files, "Capture files")->required()->option_text(" ");
  add_choice_of_records(*verb, options->wish, options->events);
  add_capture_options(*verb, options->capture);
  add_redact_option(*verb, options->redactions);
  add_protobuf_options(*verb, options->protobuf);
  verb->add_flag("--stats", options->stats, "Only figures: who, kinds, outcomes, rates, sizes");
  verb->add_flag("--repair", options->repair, "Pass over what is damaged, and say what it was");
  cli::add_count_option(*verb, "--count", options->count, "End after so many lines or records");
  cli::add_format_option(*verb, options->common);
  verb->callback([options, &program] { program.end = run(*options, program.software); });
}

}  // namespace zpost::inspect
