#include "peer/cli/chat_json.h"

#include "peer/cli/shared/json.h"
#include "peer/cli/shared/timestamps.h"

namespace zpost::cli {
namespace {

using Kind = ChatLine::Kind;

const char* event_of(Kind kind) {
  switch (kind) {
    case Kind::kReceived:
      return "received";
    case Kind::kSent:
      return "sent";
    case Kind::kSettled:
      return "settled";
    case Kind::kPresence:
      return "presence";
    case Kind::kMissed:
      return "missed";
    case Kind::kState:
      return "state";
    case Kind::kNote:
      return "note";
  }
  return "";
}

}  // namespace

std::string chat_json(const ChatLine& line) {
  Json json{{"event", event_of(line.kind)}, {"time", utc_time(line.time_ns)}};
  const bool told = line.kind == Kind::kSent || line.kind == Kind::kSettled;
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
