#include "peer/cli/chat_json.h"

#include "peer/cli/shared/json.h"
#include "peer/cli/shared/timestamps.h"

namespace zpost::cli {
namespace {

using ChatLineKind = ChatLine::Kind;

const char* event_of(ChatLineKind kind) {
  switch (kind) {
    case ChatLineKind::kReceived:
      return "received";
    case ChatLineKind::kSent:
      return "sent";
    case ChatLineKind::kSettled:
      return "settled";
    case ChatLineKind::kPresence:
      return "presence";
    case ChatLineKind::kMissed:
      return "missed";
    case ChatLineKind::kState:
      return "state";
    case ChatLineKind::kNote:
      return "note";
  }
  return "";
}

}  // namespace

std::string chat_json(const ChatLine& line) {
  Json json{{"event", event_of(line.kind)}, {"time", utc_time(line.time_ns)}};
  const bool told = line.kind == ChatLineKind::kSent || line.kind == ChatLineKind::kSettled;
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
