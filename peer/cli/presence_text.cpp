#include "peer/cli/presence_text.h"

#include "peer/cli/shared/json.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/timestamps.h"

namespace zpost::cli {
namespace {

std::string metadata_text(const Metadata& metadata) {
  std::string text;
  for (const auto& [key, value] : metadata) {
    text += (text.empty() ? "" : ", ") + visible_line(key) + "=" + visible_line(value);
  }
  return text;
}

std::string event_text(const peer::PresenceChange& change) {
  if (change.event == "present") return "is here";
  return visible_line(change.event);
}

}  // namespace

std::string presence_text(const peer::PresenceChange& change, const Palette& palette,
                          std::uint64_t now_ns) {
  std::string text = palette.paint(Ink::kDim, local_time(now_ns, now_ns)) + " " +
                     palette.name(visible_line(change.peer)) + " " + event_text(change);
  if (!change.reason.empty()) text += " (" + visible_line(change.reason) + ")";
  const bool shows = change.event != "left" && !change.metadata.empty();
  return (shows ? text + ": " + metadata_text(change.metadata) : text) + "\n";
}

std::string presence_json(const peer::PresenceChange& change, std::uint64_t now_ns) {
  Json json{{"event", change.event},
            {"name", change.peer},
            {"instance", change.instance},
            {"time", utc_time(now_ns)},
            {"metadata", change.metadata}};
  if (!change.reason.empty()) json["reason"] = change.reason;
  return to_line(json);
}

}  // namespace zpost::cli
