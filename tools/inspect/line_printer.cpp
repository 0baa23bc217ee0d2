#include "tools/inspect/line_printer.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "peer/cli/shared/near_miss.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/units.h"
#include "tools/inspect/exchange_choice.h"
#include "tools/inspect/tail_json.h"
#include "tools/inspect/tail_text.h"

namespace zpost::inspect {
namespace {

void take_format(const std::string& text, LineForm& form) {
  form.shape.reset();
  form.json = text == "json";
  if (text == "json" || text == "text") return;
  if (text.find('{') == std::string::npos) {
    throw CLI::ValidationError(
        "--format",
        fmt::format("\"{}\" is none of text, json{}, and has no fields in braces, as "
                    "'{{time}} {{from}} -> {{to}}' has",
                    cli::visible_line(text), cli::did_you_mean(text, {"text", "json"})));
  }
  Result<LineTemplate, filter::FilterError> shape = LineTemplate::parse(text);
  if (!shape) {
    throw CLI::ValidationError("--format", "it is wrong at " + shape.error().with_caret(text));
  }
  form.shape = *std::move(shape);
}

void take_fields(const std::string& text, LineForm& form) {
  Result<std::vector<LineField>, filter::FilterError> fields = line_fields(text);
  if (!fields) {
    throw CLI::ValidationError("--fields", "it is wrong at " + fields.error().with_caret(text));
  }
  form.fields = *std::move(fields);
}

}  // namespace

void add_form_options(CLI::App& verb, LineForm& form) {
  verb.add_option_function<std::string>(
          "--format", [&form](const std::string& text) { take_format(text, form); },
          "text (default), json: one object a line, or your own with fields in braces")
      ->option_text("text|json|TEMPLATE");
  verb.add_flag("--json", form.json, "The same as --format json");
  verb.add_option_function<std::string>(
          "--fields", [&form](const std::string& text) { take_fields(text, form); },
          "Only these, with commas between them: columns with tabs, or with --json objects")
      ->option_text("FIELD,...");
  verb.add_flag("--pair", form.pair,
                "Requests and calls, each with its reply and the round trip, on one line");
}

std::string contradiction_in(const LineForm& form) {
  if (form.shape && !form.fields.empty()) return "--fields or --format with fields, not both";
  if (form.shape && form.json) return "--json or --format with fields, not both";
  if (form.pair && (form.shape || !form.fields.empty())) {
    return "--pair has a line of its own: it goes without --fields and a --format of fields";
  }
  return "";
}

void LinePrinter::begin() {
  if (!form_.fields.empty() && !form_.json) output_.put(fields_header(form_.fields));
}

void LinePrinter::add(TailLine& line, bool wanted, std::size_t columns) {
  if (is_enough()) return;
  if (!form_.pair) {
    if (wanted) show(line, columns);
    return;
  }
  pairs_.add(line, wanted, done_);
  show_done(columns);
  if (line.event == TapEvent::kMissed) show(line, columns);
}

void LinePrinter::settle(std::size_t columns) {
  pairs_.settle(done_);
  show_done(columns);
}

void LinePrinter::finish(std::size_t columns) {
  pairs_.finish(done_);
  show_done(columns);
}

void LinePrinter::show(TailLine& line, std::size_t columns) {
  if (line.event == TapEvent::kMissed && !has_place_for_missed()) {
    return cli::note(fmt::format("{} missed", cli::counted(line.missed, "record")));
  }
  ++shown_;
  if (line.envelope) decode_(line);
  output_.put(text(line, columns));
}

void LinePrinter::show_done(std::size_t columns) {
  for (const Exchange& exchange : done_) {
    if (!exchange.wanted || is_enough()) continue;
    ExchangeLines lines;
    if (exchange.request) lines.request = exchange.request->line();
    if (exchange.reply) lines.reply = exchange.reply->line();
    if (!wants(exchange, lines)) continue;
    ++shown_;
    for (std::optional<TailLine>* const line : {&lines.request, &lines.reply}) {
      if (*line && (*line)->envelope) decode_(**line);
    }
    output_.put(form_.json ? exchange_json(exchange, lines)
                           : exchange_text(exchange, lines, palette_, columns));
  }
  done_.clear();
}

bool LinePrinter::wants(const Exchange& exchange, const ExchangeLines& lines) const {
  return !filter_ || wants_exchange(*filter_, exchange, lines);
}

std::string LinePrinter::text(const TailLine& line, std::size_t columns) const {
  if (form_.shape) return form_.shape->text(line);
  if (form_.fields.empty())
    return form_.json ? tail_json(line) : tail_text(line, palette_, columns);
  return form_.json ? fields_json(form_.fields, line) : fields_row(form_.fields, line);
}

bool LinePrinter::has_place_for_missed() const {
  if (form_.shape) return form_.shape->has_field("missed");
  return form_.fields.empty() || std::ranges::find(form_.fields, std::string("missed"),
                                                   &LineField::name) != form_.fields.end();
}

}  // namespace zpost::inspect
