#include "peer/cli/room_membership.h"

#include <fmt/format.h>

#include "peer/cli/room_names.h"
#include "peer/cli/shared/text.h"

namespace zpost::cli {
namespace {

/// The broker's own words say it best: `full: more than …`.
std::string refusal_text(const peer::OutcomeReport& report) {
  const std::string name(outcome_name(report.outcome));
  return report.text.empty() ? name : name + ": " + visible_line(report.text);
}

}  // namespace

std::string RoomMembership::join(const std::string& room) {
  if (std::string wrong = wrong_room_text(room); !wrong.empty()) return wrong;
  if (rooms_.is_full()) {
    return fmt::format("you are in {} rooms, the limit is {}; /leave one first",
                       rooms_.joined().size(), ChatRooms::kMaxRooms);
  }
  const std::string topic = topic_of_room(room);
  // A value kept of the topic was not said while one was here.
  const auto subscribed = peer_.subscribe(topic, {.excludes_own = true, .retained = false});
  if (!subscribed) return visible_line(subscribed.error().text);
  std::vector<std::string> rooms = rooms_.joined();
  rooms.push_back(room);
  if (std::string wrong = describe(rooms); !wrong.empty()) {
    (void)peer_.unsubscribe(topic);
    return fmt::format("the names of your rooms are too long together: {}; /leave one first",
                       wrong);
  }
  rooms_.join(room);
  return "";
}

void RoomMembership::leave(const std::string& room) {
  (void)peer_.unsubscribe(topic_of_room(room));
  rooms_.leave(room);
  (void)describe(rooms_.joined());
}

/// Empty, or why not.
std::string RoomMembership::describe(const std::vector<std::string>& rooms) {
  Metadata metadata = metadata_;
  if (!rooms.empty()) metadata[kRoomsKey] = rooms_value(rooms);
  const auto described = peer_.describe(metadata);
  if (!described) return visible_line(described.error().text);
  described_ = *described;
  return "";
}

std::optional<RoomMembership::Refusal> RoomMembership::settled(const peer::OutcomeReport& report) {
  if (is_success(report.outcome)) return std::nullopt;
  if (report.id == described_) {
    return Refusal{"", refusal_text(report)};
  }
  const std::string room(room_of_topic(report.to));
  if (!rooms_.is_in(room)) return std::nullopt;
  leave(room);
  return Refusal{room, refusal_text(report)};
}

}  // namespace zpost::cli
