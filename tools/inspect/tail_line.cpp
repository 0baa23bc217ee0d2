#include "tools/inspect/tail_line.h"

#include <algorithm>
#include <array>

#include "zpost/protocol/kinds.h"

namespace zpost::inspect {
namespace {

struct EventName {
  TapEvent event;
  std::string_view name;
};

constexpr std::array kEvents{
    EventName{TapEvent::kReceived, "received"},   EventName{TapEvent::kForwarded, "forwarded"},
    EventName{TapEvent::kHeld, "held"},           EventName{TapEvent::kFailed, "failed"},
    EventName{TapEvent::kDelivered, "delivered"}, EventName{TapEvent::kSession, "session"},
    EventName{TapEvent::kAssigned, "assigned"},   EventName{TapEvent::kAnswered, "answered"},
    EventName{TapEvent::kDropped, "dropped"},     EventName{TapEvent::kFlow, "flow"},
    EventName{TapEvent::kAsked, "asked"},         EventName{TapEvent::kName, "name"},
    EventName{TapEvent::kMissed, "missed"},       EventName{TapEvent::kEnd, "end"}};

/// What the code means depends on the event.
void put_code(TailLine& line, const TapRecord& record) {
  switch (record.event) {
    case TapEvent::kSession:
      line.change = static_cast<SessionChange>(record.code);
      // The broker says why a session is over where a run has its first id.
      line.outcome = static_cast<Outcome>(record.first_id);
      line.first_id = line.last_id = 0;
      break;
    case TapEvent::kHeld:
      line.held = static_cast<HeldWhy>(record.code);
      break;
    case TapEvent::kForwarded:
      if (record.kind == static_cast<std::uint8_t>(Kind::kPublish)) {
        line.queues = record.code;
      } else {
        line.again = record.code == 1;
      }
      break;
    case TapEvent::kFlow:
      line.flow = static_cast<FlowChange>(record.code);
      break;
    case TapEvent::kAsked:
      line.op = static_cast<AdminOp>(record.code);
      break;
    case TapEvent::kAssigned:
      line.attempt = record.code;
      break;
    case TapEvent::kAnswered:
      line.outcome = static_cast<Outcome>(record.code);
      if (record.code == 0) line.reply_id = record.last_id;
      line.last_id = line.first_id;
      break;
    default:
      line.outcome = static_cast<Outcome>(record.code);
      break;
  }
}

TailLine run_line(const TapEntry& entry) {
  const TapRecord& record = entry.record;
  TailLine line{.event = record.event,
                .time_ns = record.time_ns,
                .sequence = record.sequence,
                .from = entry.from,
                .to = entry.to,
                .kind_number = record.kind,
                .first_id = record.first_id,
                .last_id = record.last_id,
                .count = record.count,
                .bytes = record.bytes};
  put_code(line, record);
  return line;
}

}  // namespace

std::string_view event_name(TapEvent event) {
  const auto* const found = std::ranges::find(kEvents, event, &EventName::event);
  return found == kEvents.end() ? "unknown" : found->name;
}

std::optional<TapEvent> event_from_name(std::string_view name) {
  const auto* const found = std::ranges::find(kEvents, name, &EventName::name);
  if (found == kEvents.end()) return std::nullopt;
  return found->event;
}

bool is_asked_for(TapEvent event) {
  return event != TapEvent::kName && event != TapEvent::kMissed && event != TapEvent::kEnd;
}

std::set<TapEvent> all_events() {
  std::set<TapEvent> events;
  for (const EventName& each : kEvents) {
    if (is_asked_for(each.event)) events.insert(each.event);
  }
  return events;
}

std::string event_names() {
  std::string names;
  for (const EventName& each : kEvents) {
    if (is_asked_for(each.event)) names += (names.empty() ? "" : ", ") + std::string(each.name);
  }
  return names;
}

std::string_view held_name(HeldWhy why) {
  switch (why) {
    case HeldWhy::kWindowFull:
      return "window-full";
    case HeldWhy::kAway:
      return "away";
    case HeldWhy::kNotThereYet:
      return "not-there-yet";
    case HeldWhy::kPipeFull:
      return "pipe-full";
    case HeldWhy::kNoDemand:
      return "no-demand";
    case HeldWhy::kNoFreeWorker:
      return "no-free-worker";
    case HeldWhy::kWorkerGone:
      return "worker-gone";
  }
  return "unknown";
}

std::string_view flow_name(FlowChange change) {
  switch (change) {
    case FlowChange::kStalled:
      return "stalled";
    case FlowChange::kGoesOn:
      return "goes-on";
  }
  return "unknown";
}

std::string_view op_name(AdminOp op) {
  switch (op) {
    case AdminOp::kWho:
      return "who";
    case AdminOp::kStats:
      return "stats";
    case AdminOp::kTap:
      return "tap";
    case AdminOp::kUntap:
      return "untap";
    case AdminOp::kRecall:
      return "recall";
    case AdminOp::kRoute:
      return "route";
    case AdminOp::kOther:
      break;
  }
  return "something else";
}

std::string_view change_name(SessionChange change) {
  switch (change) {
    case SessionChange::kJoined:
      return "joined";
    case SessionChange::kResumed:
      return "resumed";
    case SessionChange::kAway:
      return "away";
    case SessionChange::kOver:
      return "over";
    case SessionChange::kRefused:
      return "refused";
    case SessionChange::kChanged:
      return "changed";
  }
  return "unknown";
}

void append_lines(const TapEntry& entry, std::vector<TailLine>& lines) {
  TailLine rest = run_line(entry);
  if (entry.missed > 0) {
    lines.push_back({.event = TapEvent::kMissed,
                     .time_ns = rest.time_ns,
                     .sequence = rest.sequence,
                     .missed = entry.missed});
  }
  if (rest.event == TapEvent::kMissed) return;
  std::vector<ShownEnvelope> shown;
  if (rest.event == TapEvent::kReceived) shown = shown_envelopes(entry.shown);
  for (const ShownEnvelope& envelope : shown) {
    TailLine line = rest;
    line.kind_number = envelope.kind_number;
    line.first_id = line.last_id = envelope.id;
    line.count = 1;
    line.envelope = envelope;
    // A record of one tells its size better than what may have been redacted, or put together
    // again of a file.
    if (entry.record.count == 1 && entry.record.bytes != 0) {
      line.envelope->size = entry.record.bytes;
    }
    line.bytes = line.envelope->size;
    lines.push_back(std::move(line));
    rest.count -= std::min<std::uint64_t>(rest.count, 1);
    rest.bytes -= std::min(rest.bytes, envelope.size);
    rest.first_id = std::min(envelope.id + 1, rest.last_id);
  }
  if (shown.empty() || rest.count > 0) lines.push_back(std::move(rest));
}

}  // namespace zpost::inspect
