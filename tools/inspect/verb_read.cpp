// zpost-inspect read: what capture files hold.
#include <fmt/format.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>

#include "peer/cli/shared/output.h"
#include "peer/cli/shared/timestamps.h"
#include "peer/cli/shared/units.h"
#include "tools/inspect/capture_merge.h"
#include "tools/inspect/capture_options.h"
#include "tools/inspect/line_choice.h"
#include "tools/inspect/line_printer.h"
#include "tools/inspect/protobuf_options.h"
#include "tools/inspect/record_stats.h"
#include "tools/inspect/redactor.h"
#include "tools/inspect/tap_options.h"
#include "tools/inspect/verbs.h"

namespace zpost::inspect {
namespace {

using cli::ExitCode;

constexpr const char* kReadFooter = R"(
Examples:
  zpost-inspect read trace.pcapng                            as tail shows it
  zpost-inspect read trace.pcapng --events failed --format json
  zpost-inspect read trace.pcapng --filter 'kind = request and latency > 20ms'
  zpost-inspect read trace.pcapng --proto lab.desc --proto-type 'lab-*=lab.Command'
  zpost-inspect read trace.pcapng --events received --fields time,from,to,body.temp
  zpost-inspect read trace.pcapng --pair --filter 'kind = request'
  zpost-inspect read trace.pcapng --stats
  zpost-inspect read trace.pcapng -w trace.jsonl.gz          convert
  zpost-inspect read ring_*.pcapng -w all.pcapng             merge by time
  zpost-inspect read big.pcapng -w part.pcapng --file-size 10MiB   split
  zpost-inspect read cut.pcapng --repair -w whole.pcapng     keep what can be read

Reads pcapng as capture writes it, plain or compressed; - is standard input. Several files are read
as one, in the order of time. A file that is cut is read as far as it goes and said to be cut.
Exit codes: 0 read to the end, 1 a file is damaged, cut or cannot be opened or written.)";

struct ReadOptions {
  std::vector<std::string> files;
  TapWish wish;
  std::set<TapEvent> events;
  std::optional<filter::Filter> filter;  // As in the wish.
  LineForm form;
  CaptureOptions capture;
  Redactions redactions;
  ProtobufDecoder protobuf;
  std::uint64_t count = 0;
  bool stats = false;
  bool repair = false;
};

class Read {
 public:
  Read(const ReadOptions& options, CapturePlan plan)
      : options_(options),
        choice_(options.wish, options.events, options.form.pair ? std::nullopt : options.filter),
        redactor_(options.redactions),
        writes_(!plan.path.empty()),
        writer_(std::move(plan)),
        printer_(
            options.form, options.count, output_, [this](TailLine& line) { decode(line); },
            options.filter),
        files_(options.repair ? CaptureMerge::OnDamage::kGoOn : CaptureMerge::OnDamage::kStop,
               [](const std::string& what) { cli::complain(what); }) {}

  [[nodiscard]] ExitCode run() {
    if (!check(files_.open(options_.files))) return ExitCode::kFailed;
    if (lists()) printer_.begin();
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
  [[nodiscard]] bool is_enough() const {
    return printer_.is_enough() || (options_.count > 0 && written_ >= options_.count);
  }

  [[nodiscard]] bool lists() const { return !options_.stats && !writes_; }

  void take(const CaptureReader& file) {
    const bool hidden = redactor_.apply(file.entry(), redacted_);
    const TapEntry& entry = hidden ? redacted_ : file.entry();
    const bool is_redacted = hidden || file.is_redacted();
    lines_.clear();
    append_lines(entry, lines_);
    bool wants_any = false;
    for (TailLine& line : lines_) {
      const bool wanted = choice_.wants(line);
      line.redacted = is_redacted;
      wants_any = wants_any || wanted;
      if (lists()) show(line, wanted);
    }
    if (!wants_any) return;
    if (options_.stats) return stats_.add(entry);
    if (!writes_) return;
    ++written_;
    // Named and split by the times of the records: when they are read tells nothing.
    const std::uint64_t time_ns = entry.record.time_ns;
    fine_ = begins(time_ns) && check(writer_.add(entry, is_redacted, time_ns));
  }

  /// Opens the file if that was not done. What is known of the files read goes with it.
  [[nodiscard]] bool begins(std::uint64_t time_ns) {
    if (!begun_) {
      writer_.keep_comments(files_.comments());
      begun_ = check(writer_.open(time_ns));
    }
    return *begun_;
  }

  void decode(TailLine& line) const {
    const BodyShape shape = options_.form.json ? BodyShape::kJson : BodyShape::kLine;
    (void)decode_protobuf(options_.protobuf, shape, line);
  }

  void show(TailLine& line, bool wanted) {
    constexpr std::uint64_t kFlushAfter = 256;
    printer_.add(line, wanted, kColumns);
    if (printer_.shown() < flushed_ + kFlushAfter) return;
    flushed_ = printer_.shown();
    fine_ = output_.flush() && fine_;
  }

  void finish() {
    if (lists()) printer_.finish(kColumns);
    stats_.set_comments(files_.comments());
    if (options_.stats) output_.put(options_.form.json ? stats_.json() : stats_.text());
    if (!output_.flush()) return;
    if (!writes_) return;
    if (!begins(cli::wall_clock_ns())) {
      fine_ = false;
      return;
    }
    fine_ = check(writer_.finish(cli::wall_clock_ns())) && fine_;
    const capture::Totals& totals = writer_.totals();
    cli::note(fmt::format("{} written, {} missed, {} in {}", cli::counted(totals.records, "record"),
                          totals.missed == 0 ? "none" : cli::count_text(totals.missed),
                          cli::size_text(writer_.bytes()), cli::counted(writer_.files(), "file")));
  }

  [[nodiscard]] static bool check(const Result<void>& done) {
    if (!done) cli::complain(done.error().text);
    return done.has_value();
  }

  static constexpr std::size_t kColumns = 140;

  const ReadOptions& options_;
  LineChoice choice_;
  Redactor redactor_;
  const bool writes_;
  CaptureWriter writer_;
  cli::Output output_;
  LinePrinter printer_;
  CaptureMerge files_;
  RecordStats stats_;
  TapEntry redacted_;
  std::vector<TailLine> lines_;
  std::uint64_t written_ = 0;
  std::optional<bool> begun_;  // Whether the file to be written could be opened.
  std::uint64_t flushed_ = 0;  // How many were shown when output was handed over last.
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
std::string contradiction(const ReadOptions& options, const CapturePlan& plan) {
  if (options.stats && !plan.path.empty()) return "--stats shows figures: it goes without -w";
  if (options.form.pair && !options.events.empty()) {
    return "--pair shows requests with what became of them: it goes without --events";
  }
  if (options.form.pair && (options.stats || !plan.path.empty())) {
    return "--pair lists requests: it goes without -w and --stats";
  }
  if (const std::string wrong = contradiction_in(options.form); !wrong.empty()) return wrong;
  if (plan.path.empty() && plan.has_parts()) return "there is nothing to split without -w";
  for (const std::string& file : options.files) {
    if (is_same_file(file, plan.path)) {
      return fmt::format("{} would be written over while it is read", file);
    }
  }
  return "";
}

ExitCode run(ReadOptions& options, const std::string& software) {
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
  verb->footer(kReadFooter);
  const auto options = std::make_shared<ReadOptions>();
  verb->add_option("FILE", options->files, "Capture files")->required()->option_text(" ");
  add_choice_of_records(*verb, options->wish, options->events, &options->filter);
  add_capture_options(*verb, options->capture);
  add_redact_option(*verb, options->redactions);
  add_protobuf_options(*verb, options->protobuf);
  verb->add_flag("--stats", options->stats, "Only figures: who, kinds, outcomes, rates, sizes");
  verb->add_flag("--repair", options->repair, "Pass over what is damaged, and say what it was");
  cli::add_count_option(*verb, "--count", options->count, "End after so many lines or records");
  add_form_options(*verb, options->form);
  verb->callback([options, &program] { program.end = run(*options, program.software); });
}

}  // namespace zpost::inspect
