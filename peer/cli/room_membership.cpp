#include "peer/cli/room_membership.h"

#include <fmt/format.h>

#include "peer/cli/room_names.h"
#include "peer/cli/shared/outcome_words.h"
#include "peer/cli/shared/text.h"

namespace zpost::cli {

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
    return Refusal{"", outcome_text(report.outcome, "your rooms", report.text)};
  }
  const std::string room(room_of_topic(report.to));
  if (!rooms_.is_in(room)) return std::nullopt;
  leave(room);
  return Refusal{room, outcome_text(report.outcome, with_mark(room), report.text)};
}

}  // namespace zpost::cli
