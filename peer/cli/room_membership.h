// Joins and leaves rooms at the broker, and lets everybody know in which one is.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "peer/cli/chat_rooms.h"
#include "zpost/peer/peer.h"

namespace zpost::cli {

/// Thread: one.
class RoomMembership {
 public:
  /// `metadata`: what others see of this peer besides its rooms.
  RoomMembership(peer::Peer& peer, ChatRooms& rooms, Metadata metadata)
      : peer_(peer), rooms_(rooms), metadata_(std::move(metadata)) {}

  /// Empty, or why one is not in `room`. That the broker refuses it comes later: settled().
  /// REQUIRES: one is not in it.
  [[nodiscard]] std::string join(const std::string& room);

  /// REQUIRES: one is in it.
  void leave(const std::string& room);

  /// The broker did not do what was asked.
  struct Refusal {
    std::string room;  // One is not in it any more; empty: others do not see one's rooms.
    std::string reason;
  };

  /// Takes an outcome of nothing that was said.
  [[nodiscard]] std::optional<Refusal> settled(const peer::OutcomeReport& report);

 private:
  [[nodiscard]] std::string describe(const std::vector<std::string>& rooms);

  peer::Peer& peer_;
  ChatRooms& rooms_;
  Metadata metadata_;
  std::uint64_t described_ = 0;  // The id of the latest describe.
};

}  // namespace zpost::cli
