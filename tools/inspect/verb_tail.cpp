// zpost-inspect tail: what the broker does, live.
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "peer/cli/shared/connect.h"
#include "peer/cli/shared/output.h"
#include "peer/cli/shared/refusals.h"
#include "peer/cli/shared/session_watch.h"
#include "peer/cli/shared/stop_signals.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/units.h"
#include "tools/inspect/decode.h"
#include "tools/inspect/external_decoder.h"
#include "tools/inspect/filter_option.h"
#include "tools/inspect/protobuf_options.h"
#include "tools/inspect/tail_filter.h"
#include "tools/inspect/tail_json.h"
#include "tools/inspect/tail_text.h"
#include "tools/inspect/tap_options.h"
#include "tools/inspect/tap_request.h"
#include "tools/inspect/verbs.h"

namespace zpost::inspect {
namespace {

using cli::ExitCode;
using cli::milliseconds;

constexpr const char* kFooter = R"(
Examples:
  zpost-inspect tail
  zpost-inspect tail --from alice --to 'sensor-*'
  zpost-inspect tail --events failed,session
  zpost-inspect tail 'body.temp > 30 and from = "lab-*" and not kind = request'
  zpost-inspect tail 'event = delivered and latency > 20ms'
  zpost-inspect tail --kind request --kind reply --snap 4KiB
  zpost-inspect tail --decode hex --tree --snap 4KiB
  zpost-inspect tail --decoder 'application/x-lab=./show-lab' --snap 16KiB
  zpost-inspect tail 'topic = lab/*/temp' --proto lab.desc --proto-type 'lab/*/temp=lab.Reading' --tree
  zpost-inspect tail --format json | jq 'select(.outcome == "no-peer")'

Events: received, forwarded (to the recipient, or a publish to so many queues), held (and why), failed,
delivered (taken by the recipient's program), assigned (a call to a worker), answered (a request or
call ended), session, dropped (copies that a slow subscriber does not get), flow (a sender must wait,
or goes on), asked (a question to the broker). Patterns are a name, or the beginning of one followed by *.
Whoever reads too slowly misses records and is told how many.
Exit codes: 0 ended by a signal or --count, 4 no broker, 5 refused, 6 no answer.)";

struct TailOptions {
  cli::CommonOptions common;
  TapWish wish;
  std::set<TapEvent> events;
  std::optional<filter::Filter> filter;  // As in the wish.
  std::uint64_t snap = 256;
  std::uint64_t count = 0;  // 0: without end.
  bool headers = false;
  Decoding decoding = Decoding::kAuto;
  bool decodes = false;  // Other than usual.
  bool tree = false;
  ExternalDecoders decoders;
  ProtobufDecoder protobuf;
};

Decoding decoding_of(const std::string& word) {
  if (const auto decoding = decoding_from_name(word)) return *decoding;
  throw CLI::ValidationError("--decode",
                             "\"" + word + "\" is none of auto, msgpack, json, text, hex");
}

void add_decoder(TailOptions& options, const std::string& text) {
  const Result<void> added = options.decoders.add(text);
  if (!added) throw CLI::ValidationError("--decoder", added.error().text);
}

std::size_t terminal_columns() {
  constexpr std::size_t kUsual = 140;  // Of a file or pipe.
  winsize size = {};
  const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : kUsual;
}

/// One run of the verb.
class Tail {
 public:
  Tail(const TailOptions& options, peer::Peer& peer)
      : options_(options),
        peer_(peer),
        stop_(peer),
        watch_(peer),
        refusals_(peer),
        palette_(cli::wants_colour(STDOUT_FILENO)),
        filter_(options.events, !options.wish.kinds.empty(), options.filter) {}

  [[nodiscard]] ExitCode run() {
    const ExitCode code = open_tap();
    if (code != ExitCode::kAsWanted) return code;
    cli::note(fmt::format("watching {} as {}; Ctrl-C ends", peer_.endpoint(), peer_.name()));
    peer::Batch batch;
    while (!is_done()) {
      if (watch_.fresh_sessions() != asked_in_) (void)open_tap();
      if (!peer_.receive_batch(batch, kGlance)) continue;
      for (const EnvelopeView& view : batch.envelopes()) handle(view);
      if (!output_.flush()) nobody_reads_ = true;
      peer_.take();
    }
    peer_.close(milliseconds(0));
    if (const std::string text = refusals_.dropped_text(); !text.empty()) cli::complain(text);
    if (output_.failed()) return ExitCode::kFailed;
    return watch_.is_over() ? ExitCode::kRefused : ExitCode::kAsWanted;
  }

 private:
  static constexpr milliseconds kGlance{100};  // How long a fresh session may go unnoticed.
  static constexpr milliseconds kPatience{5000};

  [[nodiscard]] bool is_done() const {
    return stop_.asked() || watch_.is_over() || nobody_reads_ || is_enough();
  }

  [[nodiscard]] bool is_enough() const { return options_.count > 0 && shown_ >= options_.count; }

  ExitCode open_tap() {
    asked_in_ = watch_.fresh_sessions();
    reader_ = TapReader();
    TapWish wish = options_.wish;
    wish.snap = options_.headers ? 0 : options_.snap;
    const peer::Answer<peer::Message> answer = peer_.request("", encode(wish), kPatience).get();
    if (answer) return ExitCode::kAsWanted;
    cli::complain("the broker does not open its tap: " + cli::visible_line(answer.error().text));
    if (answer.error().fault == peer::Fault::kTimedOut) --asked_in_;  // Later, then.
    return cli::exit_code_of(answer.error());
  }

  void handle(const EnvelopeView& view) {
    if (view.kind() == Kind::kRequest) {
      (void)refusals_.say_no(view.from, view.id, peer_.name() + " only watches");
    }
    if (!view.from.empty() || view.kind() != Kind::kSend) return;
    entries_.clear();
    lines_.clear();
    const Result<void> read = reader_.read(view.body, entries_);
    for (const TapEntry& entry : entries_) append_lines(entry, lines_);
    for (TailLine& line : lines_) show(line);
    if (!read) cli::complain(read.error().text);
  }

  void show(TailLine& line) {
    if (!filter_.wants(line) || is_enough()) return;
    ++shown_;
    if (line.envelope) decode(line);
    output_.put(options_.common.format == cli::Format::kJson
                    ? tail_json(line)
                    : tail_text(line, palette_, terminal_columns()));
  }

  [[nodiscard]] BodyShape shape() const {
    if (options_.common.format == cli::Format::kJson) return BodyShape::kJson;
    return options_.tree ? BodyShape::kTree : BodyShape::kLine;
  }

  void decode(TailLine& line) const {
    const std::optional<std::string> made = options_.decoders.decode(*line.envelope);
    const bool tree = shape() == BodyShape::kTree;
    if (made) {
      line.decoded = tree ? line.envelope->content_type : line_of_text(*made);
      if (tree) line.tree = rows_of_text(*made);
    } else if (options_.decoding == Decoding::kAuto &&
               decode_protobuf(options_.protobuf, shape(), line)) {
      return;
    } else if (tree) {
      line.decoded = line.envelope->content_type;
      line.tree = decoded_tree(*line.envelope, options_.decoding);
    } else if (options_.decodes) {
      line.decoded = decoded_line(*line.envelope, options_.decoding);
    }
  }

  const TailOptions& options_;
  peer::Peer& peer_;
  cli::StopSignals stop_;
  cli::SessionWatch watch_;
  cli::Refusals refusals_;
  cli::Palette palette_;
  cli::Output output_;
  TailFilter filter_;
  TapReader reader_;
  std::vector<TapEntry> entries_;
  std::vector<TailLine> lines_;
  std::uint64_t shown_ = 0;
  unsigned asked_in_ = 0;
  bool nobody_reads_ = false;
};

ExitCode run(TailOptions& options, const std::string& software) {
  if (!compile_filter(options.wish.filter, options.filter)) return ExitCode::kUsage;
  peer::Options wanted;
  wanted.software = software;
  wanted.outcomes = peer::OutcomeReports::kNone;
  wanted.take = peer::TakeMode::kExplicit;
  wanted.name = cli::fresh_name("inspect");
  Result<peer::Peer, ExitCode> peer = cli::connect(options.common, std::move(wanted));
  if (!peer) return peer.error();
  return Tail(options, *peer).run();
}

}  // namespace

void add_tail_verb(CLI::App& app, Program& program) {
  CLI::App* const verb = app.add_subcommand("tail", "Show what the broker does, as it does it");
  verb->footer(kFooter);
  const auto options = std::make_shared<TailOptions>();
  verb->add_option("FILTER", options->wish.filter,
                   "Only what it says, such as 'from = \"lab-*\" and size > 4KiB'; docs/filter.md")
      ->option_text(" ");
  add_choice_by_header(*verb, options->wish, options->events);
  verb->add_option_function<std::string>(
          "--decode",
          [options](const std::string& word) {
            options->decoding = decoding_of(word);
            options->decodes = options->decoding != Decoding::kAuto;
          },
          "What bodies are taken for (default auto: by content type, then by their looks)")
      ->option_text("auto|msgpack|json|text|hex");
  verb->add_flag("--tree", options->tree, "Bodies below their line, a row for each value");
  verb->add_option_function<std::vector<std::string>>(
          "--decoder",
          [options](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) add_decoder(*options, text);
          },
          "Bodies of such a content type as a command shows them: it gets one on its standard "
          "input (repeatable)")
      ->allow_extra_args(false)
      ->option_text("TYPE=COMMAND");
  add_protobuf_options(*verb, options->protobuf);
  verb->add_flag("--headers", options->headers,
                 "No bodies; neighbours become one line with a count");
  cli::add_size_option(*verb, "--snap", options->snap,
                       "How much of neighbouring envelopes to show (default 256)");
  cli::add_count_option(*verb, "--count", options->count, "End after so many lines");
  cli::add_connection_options(*verb, options->common);
  cli::add_format_option(*verb, options->common);
  verb->callback([options, &program] { program.end = run(*options, program.software); });
}

}  // namespace zpost::inspect
