#include "tools/inspect/tail_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "peer/cli/shared/body.h"
#include "peer/cli/shared/outcome_words.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/timestamps.h"
#include "peer/cli/shared/units.h"
#include "tools/inspect/envelope_columns.h"

namespace zpost::inspect {
namespace {

using cli::Ink;
using cli::Palette;

constexpr std::size_t kEventColumns = 9;
constexpr std::size_t kSizeColumns = 7;

Ink ink_of(const TailLine& line) {
  switch (line.event) {
    case TapEvent::kForwarded:
      return Ink::kDim;
    case TapEvent::kHeld:
    case TapEvent::kMissed:
    case TapEvent::kDropped:
      return Ink::kYellow;
    case TapEvent::kFlow:
      return line.flow == FlowChange::kStalled ? Ink::kYellow : Ink::kPlain;
    case TapEvent::kAsked:
      return Ink::kDim;
    case TapEvent::kFailed:
      return Ink::kRed;
    case TapEvent::kDelivered:
      return line.outcome == Outcome::kUnconfirmed ? Ink::kYellow : Ink::kGreen;
    case TapEvent::kSession:
      return line.change == SessionChange::kRefused ? Ink::kRed : Ink::kCyan;
    default:
      return Ink::kPlain;
  }
}

std::string session_text(const TailLine& line) {
  std::string text = fmt::format("{} {}", who(line.from), change_name(line.change));
  if (line.outcome != Outcome::kNone) text += fmt::format(" ({})", outcome_name(line.outcome));
  return text;
}

std::string id_text(const TailLine& line, std::size_t columns) {
  if (line.event == TapEvent::kDropped) return cli::counted(line.count, "copy");
  const std::string id = short_id(line.first_id, columns);
  if (line.count <= 1) return "#" + id;
  return fmt::format("#{}… ×{}", id, cli::count_text(line.count));
}

/// The broker does not tell how large a call was when it gives it to a worker, nor what a request
/// was when it is answered; no envelope has no bytes.
std::string told_size(const TailLine& line) {
  return line.bytes == 0 ? "" : cli::size_text(line.bytes);
}

/// What comes before the body.
std::string meta_text(const ShownEnvelope& envelope) {
  std::string text;
  if (envelope.in_reply_to != 0) text = fmt::format("to #{} ", envelope.in_reply_to);
  if (envelope.rejected) text += "rejected: ";
  return text;
}

std::string body_text(const ShownEnvelope& envelope) {
  const cli::Body body{envelope.body, envelope.body_is_text, envelope.content_type, envelope.cut};
  const cli::ReadableBody readable = cli::readable(body);
  std::string text = meta_text(envelope);
  switch (readable.form) {
    case cli::BodyForm::kText:
      text += fmt::format("\"{}{}\"", cli::visible_line(readable.text), envelope.cut ? "…" : "");
      break;
    case cli::BodyForm::kJson:
      text += cli::visible_line(cli::compact_json(readable.text)) + (envelope.cut ? "…" : "");
      break;
    case cli::BodyForm::kMsgpack:
      text += cli::visible_line(readable.text);
      break;
    case cli::BodyForm::kBinary:
      text += readable.text;
      break;
  }
  return text;
}

std::string flow_text(const TailLine& line) {
  if (*line.flow != FlowChange::kStalled) return "goes on";
  if (line.to.empty()) return "must wait: its credit is used up";
  return fmt::format("must wait: {} has not taken enough of it", who(line.to));
}

/// What comes last: why, or what.
std::string end_text(const TailLine& line) {
  if (line.held) return held_text(line);
  if (line.flow) return flow_text(line);
  if (line.op) return std::string(op_name(*line.op));
  if (line.again) return "again, over a new connection";
  if (line.queues != 0) return fmt::format("to {}", cli::counted(line.queues, "queue"));
  if (line.attempt > 1) return fmt::format("attempt {}", line.attempt);
  if (line.reply_id != 0) return fmt::format("by #{}", line.reply_id);
  if (line.event == TapEvent::kDropped) return "too slow for what it subscribes to";
  const bool failed = line.event == TapEvent::kFailed || line.event == TapEvent::kAnswered;
  if (failed && line.outcome != Outcome::kNone)
    return cli::outcome_text(line.outcome, who(line.to));
  if (line.outcome == Outcome::kUnconfirmed) return "unconfirmed: it does not acknowledge";
  return envelope_text(line);
}

/// Below the row, and clear of it.
std::string tree_text(const TailLine& line, std::size_t columns) {
  constexpr std::size_t kIndent = 15;
  std::string text;
  for (const std::string& row : line.tree) {
    const std::size_t left = std::max(columns, kIndent + kLeastBodyColumns) - kIndent;
    text += fmt::format("{:{}}{}\n", "", kIndent, cli::shortened(row, left));
  }
  return text;
}

}  // namespace

std::string held_text(const TailLine& line) {
  switch (*line.held) {
    case HeldWhy::kWindowFull:
      return fmt::format("the window of {} is full", who(line.to));
    case HeldWhy::kAway:
      return fmt::format("{} is away", who(line.to));
    case HeldWhy::kNotThereYet:
      return fmt::format("{} is not back since the broker's start", who(line.to));
    case HeldWhy::kPipeFull:
      return fmt::format("the connection of {} takes no more", who(line.to));
    case HeldWhy::kNoDemand:
      return fmt::format("{} asks for no more now", who(line.to));
    case HeldWhy::kNoFreeWorker:
      return fmt::format("no worker of {} is free", who(line.to));
    case HeldWhy::kWorkerGone:
      return "its worker is gone";
  }
  return "";
}

std::string envelope_text(const TailLine& line) {
  if (!line.envelope) return "";
  return line.decoded ? meta_text(*line.envelope) + *line.decoded : body_text(*line.envelope);
}

std::string tail_text(const TailLine& line, const Palette& palette, std::size_t columns) {
  const std::string clock = palette.paint(Ink::kDim, cli::local_time_ms(line.time_ns)) + " ";
  if (line.event == TapEvent::kMissed) {
    return clock +
           palette.paint(Ink::kYellow,
                         fmt::format("… {} missed", cli::counted(line.missed, "record"))) +
           "\n";
  }
  const std::string event =
      palette.paint(ink_of(line), cli::padded(std::string(event_name(line.event)), kEventColumns));
  if (line.event == TapEvent::kSession) {
    return clock + event + " " + palette.paint(ink_of(line), session_text(line)) + "\n";
  }
  const std::string what =
      fmt::format(" {} {} {}", cli::padded(kind_text(line.kind_number), kKindColumns),
                  cli::padded(told_size(line), kSizeColumns), id_text(line, columns));
  constexpr std::size_t kClockColumns = 13;
  const std::size_t beside = kClockColumns + kEventColumns + 2 + cli::columns_of(what);
  const std::size_t room = columns - std::min(columns, beside + kLeastBodyColumns);
  const std::string header =
      cli::padded(way_text(who(line.from), who(line.to), room), kWayColumns) + what;
  const std::size_t used = kClockColumns + kEventColumns + 2 + cli::columns_of(header);
  const std::size_t left = std::max(columns > used ? columns - used : 0, kLeastBodyColumns);
  std::string end = cli::shortened(end_text(line), left);
  if (line.event == TapEvent::kFailed) end = palette.paint(Ink::kRed, end);
  const Ink ink = line.event == TapEvent::kForwarded ? Ink::kDim : Ink::kPlain;
  return clock + event + " " + palette.paint(ink, header) + (end.empty() ? "" : " " + end) + "\n" +
         tree_text(line, columns);
}

}  // namespace zpost::inspect
