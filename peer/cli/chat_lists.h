// Who and what there is in a chat, in words. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "peer/cli/chat_rooms.h"

namespace zpost::cli {

/// A row for each of `peers`, by name: since when, and where. Without the last line feed.
[[nodiscard]] std::string people_list(ChatRooms::Peers peers, std::uint64_t now_ns);

/// A row for each room one is in, and one for the others that are known.
[[nodiscard]] std::string room_list(const ChatRooms& rooms);

/// `you are in #dev; here: bob, carol`.
[[nodiscard]] std::string room_text(const ChatRooms& rooms, std::string_view room);

/// `you talk with bob`, `you are in #dev`.
[[nodiscard]] std::string partner_text(std::string_view partner);

/// `to bob>`, `#dev [#ops 3]>`: with whom one talks, and unread lines elsewhere, `#ops 3!` if they
/// name oneself. What does not fit into `columns` is only counted: `#dev [#ops 3 +2]>`.
[[nodiscard]] std::string chat_prompt(std::string_view partner, const ChatRooms& rooms,
                                      std::size_t columns);

}  // namespace zpost::cli
