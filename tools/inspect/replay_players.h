// The peers that a replay plays: each a session of its own, under a recorded or another name.
#pragma once

#include <poll.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "peer/cli/shared/exit_code.h"
#include "tools/inspect/replay_cast.h"
#include "tools/inspect/replay_inbox.h"

namespace zpost::inspect {

/// Where an item of the plan goes this time.
struct ReplayAim {
  std::size_t place = 0;   // Of the item.
  std::uint64_t loop = 0;  // Comes back with its replies.
  const std::string& target;
  peer::milliseconds timeout{0};  // Of requests and calls.
};

/// Thread: one.
class ReplayPlayers {
 public:
  static constexpr std::size_t kNobody = SIZE_MAX;

  explicit ReplayPlayers(ReplayInbox& inbox) : inbox_(inbox) {}

  /// Connects everybody of the cast that is played or stood in for and was there when `presences`
  /// begin, and offers the services that are stood in for. False: somebody could not be; why was
  /// said on standard error.
  [[nodiscard]] bool open(const Cast& cast, const RecordedPresences& presences,
                          const peer::Options& options);

  /// Lets somebody come who is not here; false as open().
  [[nodiscard]] bool join(std::size_t player);

  /// Goodbye of one, once what it was sent is taken. What it sent is forgotten.
  void leave(std::size_t player);

  [[nodiscard]] bool is_here(std::size_t player) const {
    return players_[player]->peer.has_value();
  }

  /// Goodbye to all, once what they were sent is taken.
  void close();

  [[nodiscard]] std::size_t size() const { return players_.size(); }

  /// Of a recorded name, or of the name at the broker; kNobody: it is not played.
  [[nodiscard]] std::size_t by_recorded_name(std::string_view name) const;
  [[nodiscard]] std::size_t by_name(std::string_view name) const;
  [[nodiscard]] const std::string& name(std::size_t player) const;
  [[nodiscard]] const std::string& recorded_name(std::size_t player) const;

  /// REQUIRES: is_here().
  [[nodiscard]] peer::Peer& peer(std::size_t player) { return *players_[player]->peer; }

  /// Sends an item, if its sender has credit for it: kWouldBlock or kTimedOut
  /// otherwise. Returns its id; what becomes of it comes to the inbox.
  [[nodiscard]] peer::Answer<std::uint64_t> send(std::size_t player, const ReplayItem& item,
                                                 const ReplayAim& aim);

  /// Which item a player sent under that id; nothing: none, or it is forgotten.
  [[nodiscard]] std::optional<std::size_t> place_of(std::size_t player, std::uint64_t id) const;

  void forget(std::size_t player, std::uint64_t id) { players_[player]->sent.erase(id); }

  /// Appends what to poll for, one for each player in their order; nothing of those not here.
  void add_descriptors(std::vector<pollfd>& descriptors) const;

 private:
  struct Player {
    std::string recorded;
    std::string name;
    std::vector<std::string> services = {};  // That it works for, without their marks.
    std::optional<peer::Peer> peer = std::nullopt;
    bool was_here = false;
    std::unordered_map<std::uint64_t, std::size_t> sent = {};  // Places, by ids.
  };

  [[nodiscard]] bool offer(Player& player);
  void listen(std::size_t player);

  ReplayInbox& inbox_;
  peer::Options options_;
  std::vector<std::unique_ptr<Player>> players_;
  std::map<std::string, std::size_t, std::less<>> by_recorded_name_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
};

}  // namespace zpost::inspect
