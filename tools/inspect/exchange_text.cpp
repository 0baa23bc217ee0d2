#include "tools/inspect/exchange_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "peer/cli/shared/json.h"
#include "peer/cli/shared/outcome_words.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/timestamps.h"
#include "peer/cli/shared/units.h"
#include "tools/inspect/envelope_columns.h"
#include "tools/inspect/story.h"
#include "tools/inspect/tail_json.h"
#include "tools/inspect/tail_text.h"
#include "zpost/protocol/kinds.h"

namespace zpost::inspect {
namespace {

using cli::Ink;
using cli::Json;

constexpr std::size_t kRoundTripColumns = 9;

/// Asked for by name, or whoever of a service had it.
std::string answerer(const Exchange& exchange) {
  const bool says_more = !exchange.holder.empty() && exchange.holder != exchange.to;
  return who(exchange.to) + (says_more ? " (" + who(exchange.holder) + ")" : "");
}

std::string_view end_name(ExchangeEnd end) {
  switch (end) {
    case ExchangeEnd::kReplied:
      return "replied";
    case ExchangeEnd::kFailed:
      return "failed";
    case ExchangeEnd::kOpen:
      return "open";
    case ExchangeEnd::kForgotten:
      return "forgotten";
  }
  return "";
}

Ink ink_of(const Exchange& exchange, const ExchangeLines& lines) {
  switch (exchange.end) {
    case ExchangeEnd::kReplied:
      return outcome_of(exchange, lines) == Outcome::kRejected ? Ink::kRed : Ink::kGreen;
    case ExchangeEnd::kFailed:
      return Ink::kRed;
    default:
      return Ink::kYellow;
  }
}

std::string reply_text(const Exchange& exchange, const ExchangeLines& lines) {
  std::string text;
  if (exchange.replies > 1) {
    text = cli::count_text(exchange.replies) + " replies";
    if (exchange.first_reply_ns) {
      text += fmt::format(", the first after {}", span_text(*exchange.first_reply_ns));
    }
    text += "; the last: ";
  }
  if (!lines.reply || !lines.reply->envelope) {
    return text + fmt::format("#{}", exchange.reply_id);
  }
  TailLine reply = *lines.reply;
  reply.envelope->in_reply_to = 0;  // It stands beside its request.
  return text + envelope_text(reply);
}

std::string end_text(const Exchange& exchange, const ExchangeLines& lines) {
  switch (exchange.end) {
    case ExchangeEnd::kReplied:
      return reply_text(exchange, lines);
    case ExchangeEnd::kFailed:
      return cli::outcome_text(exchange.outcome, who(exchange.to));
    case ExchangeEnd::kOpen:
      return "no answer yet";
    case ExchangeEnd::kForgotten:
      return fmt::format("no answer yet; not followed further: {} are open",
                         cli::count_text(ExchangePairs::kMaxOpen));
  }
  return "";
}

Json envelope_json(const TailLine& line) {
  Json json{{"id", cli::json_id(line.first_id)}, {"bytes", line.bytes}};
  if (line.envelope) put_envelope(json, *line.envelope);
  if (line.protobuf) put_protobuf(json, *line.protobuf);
  if (line.decoded) json["decoded"] = *line.decoded;
  return json;
}

}  // namespace

Outcome outcome_of(const Exchange& exchange, const ExchangeLines& lines) {
  if (exchange.end == ExchangeEnd::kFailed) return exchange.outcome;
  if (exchange.end != ExchangeEnd::kReplied) return Outcome::kNone;
  if (!lines.reply || !lines.reply->envelope) return Outcome::kNone;
  return lines.reply->envelope->rejected ? Outcome::kRejected : Outcome::kDelivered;
}

std::string exchange_text(const Exchange& exchange, const ExchangeLines& lines,
                          const cli::Palette& palette, std::size_t columns) {
  const std::string clock = cli::local_time_ms(exchange.time_ns);
  const std::string span = cli::padded(
      exchange.round_trip_ns ? span_text(*exchange.round_trip_ns) : "–", kRoundTripColumns);
  const std::string kind = cli::padded(kind_text(exchange.kind_number), kKindColumns);
  std::string id = "#" + short_id(exchange.id, columns);
  if (exchange.count > 1) id += "… ×" + cli::count_text(exchange.count);
  const std::size_t beside =
      cli::columns_of(fmt::format("{} {}  {} {}  ⇒ ", clock, span, kind, id));
  const std::size_t room = columns - std::min(columns, beside + 2 * kLeastBodyColumns);
  const std::string way =
      cli::padded(way_text(who(exchange.asker), answerer(exchange), room), kWayColumns);
  const std::string header = fmt::format("{} {} {}", way, kind, id);
  const std::size_t used = cli::columns_of(fmt::format("{} {} {}  ⇒ ", clock, span, header));
  const std::size_t left = std::max(columns > used ? columns - used : 0, 2 * kLeastBodyColumns);
  std::string end = end_text(exchange, lines);
  // The question yields to the answer down to half of the room.
  const std::size_t for_end = std::min(cli::columns_of(end), left - left / 2);
  const std::string asked =
      lines.request ? cli::shortened(envelope_text(*lines.request), left - for_end) : "";
  end = cli::shortened(end, left - cli::columns_of(asked));
  return fmt::format("{} {} {}{} ⇒ {}\n", palette.paint(Ink::kDim, clock),
                     palette.paint(Ink::kCyan, span), header, asked.empty() ? "" : " " + asked,
                     palette.paint(ink_of(exchange, lines), end));
}

std::string exchange_json(const Exchange& exchange, const ExchangeLines& lines) {
  Json json{{"time", cli::utc_time(exchange.time_ns)},
            {"from", exchange.asker},
            {"to", exchange.to},
            {"kind", kind_name(static_cast<Kind>(exchange.kind_number))},
            {"id", cli::json_id(exchange.id)},
            {"end", end_name(exchange.end)}};
  if (exchange.count > 1) json["count"] = exchange.count;
  const Outcome outcome = outcome_of(exchange, lines);
  if (outcome != Outcome::kNone) json["outcome"] = outcome_name(outcome);
  if (exchange.round_trip_ns) json["round_trip_ns"] = *exchange.round_trip_ns;
  if (!exchange.holder.empty()) json["holder"] = exchange.holder;
  if (exchange.reply_id != 0) json["reply"] = cli::json_id(exchange.reply_id);
  if (exchange.replies > 0) {
    json["replies"] = exchange.replies;
    json["reply_bytes"] = exchange.reply_bytes;
  }
  if (exchange.first_reply_ns) json["first_reply_ns"] = *exchange.first_reply_ns;
  if (lines.request) json["asked"] = envelope_json(*lines.request);
  if (lines.reply) json["answered"] = envelope_json(*lines.reply);
  return cli::to_line(json);
}

}  // namespace zpost::inspect
