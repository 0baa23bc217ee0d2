// How rooms of a chat are called, and what they are for the broker. Pure.
//
// The room `dev` is the topic `room/dev`. Among the people one talks with it is written `#dev`. In
// which rooms somebody is stands in the metadata, key `rooms`: `dev ops`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "zpost/protocol/control.h"

namespace zpost::cli {

inline constexpr char kRoomMark = '#';
inline constexpr const char* kRoomsKey = "rooms";  // In the metadata.

/// True for `#dev`, false for `bob`.
[[nodiscard]] bool is_room(std::string_view partner);

/// `dev` for `#dev` and for `dev`.
[[nodiscard]] std::string_view without_mark(std::string_view room);

/// `#dev` for `dev`.
[[nodiscard]] std::string with_mark(std::string_view room);

/// Empty, or why `room` cannot be the name of a room.
[[nodiscard]] std::string wrong_room_text(std::string_view room);

/// `room/dev`.
[[nodiscard]] std::string topic_of_room(std::string_view room);

/// `dev` for `room/dev`; other topics as they are.
[[nodiscard]] std::string_view room_of_topic(std::string_view topic);

/// The rooms that somebody's metadata names, in its order; words that name no room are left out.
[[nodiscard]] std::vector<std::string> rooms_in(const Metadata& metadata);

/// `dev ops`: the metadata's value for these rooms.
[[nodiscard]] std::string rooms_value(const std::vector<std::string>& rooms);

/// `bob, carol`; beyond 20: `…, zoe and 3 more`.
[[nodiscard]] std::string enumerated(const std::vector<std::string>& names);

}  // namespace zpost::cli
