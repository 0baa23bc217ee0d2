#include "peer/cli/chat_json.h"

#include "peer/cli/shared/json.h"
#include "peer/cli/shared/timestamps.h"

namespace zpost::cli {
namespace {

using LineKind = ChatLine::Kind;

const char* event_of(LineKind kind) {
  switch (kind) {
    case LineKind::kReceived:
      return "received";
    case LineKind::kSent:
      return "sent";
    case LineKind::kSettled:
      return "settled";
    case LineKind::kPresence:
      return "presence";
    case LineKind::kMissed:
      return "missed";
    case LineKind::kState:
      return "state";
    case LineKind::kNote:
      return "note";
  }
  return "";
}

}  // namespace

std::string chat_json(const ChatLine& line) {
  Json json{{"event", event_of(line.kind)}, {"time", utc_time(line.time_ns)}};
  const bool told = line.kind == LineKind::kSent || line.kind == LineKind::kSettled;
  if (line.id != 0) json["id"] = json_id(line.id);
  if (!line.from.empty() && !told) json["from"] = line.from;
  if (!line.room.empty()) json["room"] = line.room;
  if (told && line.room.empty()) json["to"] = line.to;
  json["text"] = line.text;
  if (line.outcome != Outcome::kNone) json["outcome"] = outcome_name(line.outcome);
  if (line.count) json["count"] = *line.count;
  if (!line.reason.empty()) json["reason"] = line.reason;
  return to_line(json);
}

}  // namespace zpost::cli
