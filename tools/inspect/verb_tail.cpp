// zpost-inspect tail: what the broker does, live.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "peer/cli/shared/connect.h"
#include "peer/cli/shared/output.h"
#include "peer/cli/shared/stop_signals.h"
#include "peer/cli/shared/units.h"
#include "tools/inspect/decode.h"
#include "tools/inspect/external_decoder.h"
#include "tools/inspect/filter_option.h"
#include "tools/inspect/line_choice.h"
#include "tools/inspect/line_printer.h"
#include "tools/inspect/protobuf_options.h"
#include "tools/inspect/tap_feed.h"
#include "tools/inspect/tap_options.h"
#include "tools/inspect/tap_request.h"
#include "tools/inspect/terminal_lines.h"
#include "tools/inspect/verbs.h"

namespace zpost::inspect {
namespace {

using cli::ExitCode;

constexpr std::uint64_t kMostSnap = 16 << 10;  // That a broker shows.
constexpr std::size_t kUsualColumns = 140;     // Of a file or pipe.

constexpr const char* kTailFooter = R"(
Examples:
  zpost-inspect tail
  zpost-inspect tail --from alice --to 'sensor-*'
  zpost-inspect tail --events failed,session
  zpost-inspect tail --asked
  zpost-inspect tail 'body.temp > 30 and from = "lab-*" and not kind = request'
  zpost-inspect tail 'event = delivered and latency > 20ms'
  zpost-inspect tail --kind request --kind reply --snap 4KiB
  zpost-inspect tail --decode hex --tree --each --snap 4KiB
  zpost-inspect tail --decoder 'application/x-lab=./show-lab' --snap 16KiB
  zpost-inspect tail 'topic = lab/*/temp' --proto lab.desc --proto-type 'lab/*/temp=lab.Reading' --tree
  zpost-inspect tail --format json | jq 'select(.outcome == "no-peer")'
  zpost-inspect tail --events received --fields time,from,to,body.temp
  zpost-inspect tail --events delivered --format '{time} {from} -> {to} took {latency}\n'
  zpost-inspect tail --pair
  zpost-inspect tail --pair 'to = oracle and latency > 20ms'
  zpost-inspect tail --pair 'outcome in (rejected, expired) and body.temp > 30'

A FILTER has tests such as FIELD = VALUE, joined by and, or, not and parentheses. Besides = there are
!= < <= > >=, ~ (contains) and in (A, B); * in a value is any text. Fields: from, to, peer (either), topic,
service, kind, event, outcome, held, change, id, size, bytes, count, latency, queues, attempt, content_type,
in_reply_to, rejected (alone: a reply that says no), body, body.temp, body.items[0].name. docs/filter.md has
examples. To leave something out: 'not from = alice'.
Events: received, forwarded (to the recipient, or a publish to so many queues), held (and why), failed,
delivered (taken by the recipient's program), assigned (a call to a worker), answered (a request or
call ended), session, dropped (copies that a slow subscriber does not get), flow (a sender must wait,
or goes on), asked (a question to the broker, such as who: left out unless --asked, --events or the filter
names it). Patterns are a name, or the beginning of one followed by *; @ before it
wants services only.
Fields for --fields and --format are those of filters and time, sequence, last_id, reply, trace, flow, op,
missed; body.temp and body.items[0].name go into bodies. docs/inspect.md has more.
--pair shows a request or call when it ends, with its reply, or why there is none. A filter then judges the
whole: a test holds if it holds of the request, of its last reply or of what became of it; outcome is how it
ended: delivered (answered), rejected (the reply says no), expired, no-peer, ...; latency is the round trip.
--from, --to and --kind want those with such a request or reply. Of those still open at most 4,096 and
16 MiB are kept; beyond that the oldest is shown as it is.
Whoever reads too slowly misses records and is told how many.
Exit codes: 0 ended by a signal or --count, 4 no broker, 5 refused, 6 no answer.)";

struct TailOptions {
  cli::CommonOptions common;
  TapWish wish;
  std::set<TapEvent> events;
  std::optional<filter::Filter> filter;  // As in the wish.
  LineForm form;
  bool asked = false;  // Questions to the broker as well.
  bool each = false;
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

/// Of exchanges all that may belong to one, judged here as a whole: the broker would choose a
/// request and leave out its reply, and no record of its says that a reply rejects.
TapWish wish_for_exchanges(const TailOptions& options) {
  TapWish wish;
  wish.kinds = {Kind::kRequest, Kind::kCall, Kind::kReply};
  wish.snap = options.headers ? 0 : options.snap;
  // A body that is cut may leave a filter without an answer.
  if (options.filter) wish.snap = std::max(options.snap, kMostSnap);
  wish.each = wish.snap > 0;
  return wish;
}

/// Inspectors and programs ask the broker all the time: that is no traffic, and seen only by those
/// who ask for it.
std::set<TapEvent> shown_events(const TailOptions& options) {
  std::set<TapEvent> events = options.events;
  const bool by_filter = options.filter && options.filter->names(TapEvent::kAsked);
  if (events.empty() && !by_filter) {
    events = all_events();
    events.erase(TapEvent::kAsked);
  }
  if (options.asked && !events.empty()) events.insert(TapEvent::kAsked);
  return events;
}

void ask_for_events(const TailOptions& options, TapWish& wish) {
  std::set<TapEvent> events = shown_events(options);
  if (!events.contains(TapEvent::kReceived)) {
    // No other line shows a body.
    wish.snap = 0;
    wish.each = false;
    if (!tell_by_themselves(events)) events.insert(TapEvent::kReceived);
  }
  wish.filter = with_events(wish.filter, events);
}

/// What the broker is asked for.
TapWish asked_wish(const TailOptions& options) {
  if (options.form.pair) return wish_for_exchanges(options);
  TapWish wish = options.wish;
  wish.snap = options.headers ? 0 : options.snap;
  wish.each = options.each && !options.headers;
  if (!options.events.empty()) ask_for_events(options, wish);
  return wish;
}

/// Of exchanges the lines are judged by their headers, the filter judges the whole.
LineChoice choice_of_lines(const TailOptions& options) {
  using Judged = TailFilter::Judged;
  if (options.form.pair) return {options.wish, {}, std::nullopt, Judged::kHere};
  return {options.wish, shown_events(options), options.filter, Judged::kBefore};
}

/// One run of the verb.
class Tail {
 public:
  Tail(const TailOptions& options, peer::Peer& peer)
      : options_(options),
        peer_(peer),
        stop_(peer),
        feed_(peer, asked_wish(options)),
        choice_(choice_of_lines(options)),
        printer_(
            options.form, options.count, output_, [this](TailLine& line) { complete(line); },
            options.filter) {}

  [[nodiscard]] ExitCode run() {
    const ExitCode code = feed_.open();
    if (code != ExitCode::kAsWanted) return code;
    cli::note(fmt::format("watching {} as {}; Ctrl-C ends", peer_.endpoint(), peer_.name()));
    printer_.begin();
    while (!is_done()) {
      const bool came = feed_.receive();
      // A system call for each line would cost more than the rest of it.
      columns_ = output_columns(kUsualColumns);
      if (came) {
        for (const TapEntry& entry : feed_.entries()) add(entry);
        feed_.take();
      } else {
        printer_.settle(columns_);
      }
      if (!output_.flush()) nobody_reads_ = true;
    }
    printer_.finish(columns_);
    if (!output_.flush()) nobody_reads_ = true;
    const ExitCode end = feed_.close();
    return output_.failed() ? ExitCode::kFailed : end;
  }

 private:
  [[nodiscard]] bool is_done() const {
    return stop_.asked() || feed_.is_over() || nobody_reads_ || printer_.is_enough();
  }

  void add(const TapEntry& entry) {
    lines_.clear();
    append_lines(entry, lines_);
    for (TailLine& line : lines_) {
      const bool wanted = choice_.wants(line);
      printer_.add(line, wanted, columns_);
    }
  }

  [[nodiscard]] BodyShape shape() const {
    if (options_.form.json) return BodyShape::kJson;
    return options_.tree && options_.form.is_usual() ? BodyShape::kTree : BodyShape::kLine;
  }

  void complete(TailLine& line) const {
    if (options_.form.pair) cut(line);
    if (line.envelope) decode(line);
  }

  /// To what was to be shown: a filter may have needed more.
  void cut(TailLine& line) const {
    if (options_.headers) return line.envelope.reset();
    if (line.envelope->body.size() <= options_.snap) return;
    line.envelope->body = line.envelope->body.first(options_.snap);
    line.envelope->cut = true;
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
  TapFeed feed_;
  LineChoice choice_;
  cli::Output output_;
  LinePrinter printer_;
  std::vector<TailLine> lines_;
  std::size_t columns_ = 0;  // Of the terminal.
  bool nobody_reads_ = false;
};

/// What does not go together; empty: nothing.
std::string contradiction(const TailOptions& options) {
  if (options.form.pair && !options.events.empty()) {
    return "--pair shows requests with what became of them: it goes without --events";
  }
  if (options.form.pair && options.asked) {
    return "--pair shows requests to peers and services: it goes without --asked";
  }
  return contradiction_in(options.form);
}

ExitCode run(TailOptions& options, const std::string& software) {
  if (const std::string wrong = contradiction(options); !wrong.empty()) {
    cli::complain(wrong);
    return ExitCode::kUsage;
  }
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
  verb->footer(kTailFooter);
  const auto options = std::make_shared<TailOptions>();
  verb->add_option("FILTER", options->wish.filter,
                   "Only what it says, such as 'from = \"lab-*\" and size > 4KiB'; docs/filter.md")
      ->option_text(" ");
  add_choice_by_header(*verb, options->wish, options->events);
  verb->add_flag(
      "--asked", options->asked,
      "Questions to the broker as well (who, stats, tap, …), which are left out otherwise");
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
  verb->add_flag("--each", options->each,
                 "--snap is of each envelope: none goes without its body (as with --pair)")
      ->excludes("--headers");
  cli::add_count_option(*verb, "--count", options->count, "End after so many lines");
  cli::add_connection_options(*verb, options->common);
  add_form_options(*verb, options->form);
  verb->callback([options, &program] { program.end = run(*options, program.software); });
}

}  // namespace zpost::inspect
