// The rooms one is in, what was said there unseen, and who is in which room. Pure.
//
// Rooms are named without their mark here: `dev`.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "peer/cli/chat_line.h"
#include "zpost/peer/peer.h"

namespace zpost::cli {

class ChatRooms {
 public:
  static constexpr std::size_t kMaxRooms = 50;
  static constexpr std::size_t kMaxHeld = 200;  // Lines of one room; beyond it the oldest goes.

  /// What happens to lines of rooms one does not look at.
  enum class Elsewhere { kHeld, kShown };

  ChatRooms(std::string me, Elsewhere elsewhere) : me_(std::move(me)), elsewhere_(elsewhere) {}

  // --- Oneself -----------------------------------------------------------------------------------

  /// In the order in which they were joined.
  [[nodiscard]] const std::vector<std::string>& joined() const { return joined_; }

  [[nodiscard]] bool is_in(std::string_view room) const;

  [[nodiscard]] bool is_full() const { return joined_.size() >= kMaxRooms; }

  /// REQUIRES: !is_in(room), !is_full().
  void join(const std::string& room);
  /// What was unread there is forgotten.
  void leave(std::string_view room);

  // --- Lines -------------------------------------------------------------------------------------

  /// Those of `lines` to be shown to somebody who looks at `partner` (`#dev` or `bob`); what others
  /// said in other rooms is kept for take_unread(). Who came and went there is nobody's concern.
  [[nodiscard]] ChatLines admit(ChatLines lines, std::string_view partner);

  /// What was kept of a room, headed by a word on what was too much; forgotten here.
  [[nodiscard]] ChatLines take_unread(std::string_view room, std::uint64_t now);

  /// How many lines were said there unseen, those too many to be kept included.
  [[nodiscard]] std::uint64_t unread(std::string_view room) const;

  /// Whether any of them names oneself.
  [[nodiscard]] bool calls_me(std::string_view room) const;

  /// The broker dropped `count` lines of the rooms, of which it does not say.
  [[nodiscard]] ChatLines missed(std::uint64_t count, std::uint64_t now) const;

  // --- Others ------------------------------------------------------------------------------------

  using Peers = std::vector<peer::Peer::PeerInfo>;

  /// Who is where, as the broker lists them.
  void set_people(const Peers& peers);

  /// Whether `change` takes somebody out of a room, or away altogether.
  [[nodiscard]] bool is_leaving(const peer::PresenceChange& change) const;

  /// Somebody came into or left rooms that one is in.
  [[nodiscard]] ChatLines presence(const peer::PresenceChange& change, std::uint64_t now);

  /// Who is in the room besides oneself, by name.
  [[nodiscard]] std::vector<std::string> people(std::string_view room) const;

  /// Adds to lines of one's own how many are known to be where they were said: more than heard it,
  /// when not all are back after another run of the broker began.
  [[nodiscard]] ChatLines with_people(ChatLines lines) const;

  /// Every room that somebody is in, by name.
  [[nodiscard]] std::vector<std::string> known() const;

 private:
  using Names = std::set<std::string, std::less<>>;

  struct Unread {
    std::deque<ChatLine> lines;
    std::uint64_t said = 0;     // Of `lines`: said by somebody.
    std::uint64_t dropped = 0;  // Said by somebody, but not in `lines` any more.
    bool calls_me = false;
  };

  void hold(ChatLine line);

  std::string me_;
  Elsewhere elsewhere_;
  std::vector<std::string> joined_;
  std::map<std::string, Unread, std::less<>> unread_;
  std::map<std::string, Names, std::less<>> rooms_of_;  // Of others who are in any.
};

}  // namespace zpost::cli
