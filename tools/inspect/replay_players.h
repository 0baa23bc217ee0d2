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

  /// Connects everybody of the cast that is played or stood in for, and offers the services that
  /// are. False: somebody could not be; why was said on standard error.
  [[nodiscard]] bool open(const Cast& cast, const peer::Options& options);

  /// Goodbye to all, once what they were sent is taken.
  void close();

  [[nodiscard]] std::size_t size() const { return players_.size(); }

  /// Of a recorded name, or of the name at the broker; kNobody: it is not played.
  [[nodiscard]] std::size_t by_recorded_name(std::string_view name) const;
  [[nodiscard]] std::size_t by_name(std::string_view name) const;
  [[nodiscard]] const std::string& name(std::size_t player) const;

  [[nodiscard]] peer::Peer& peer(std::size_t player) { return players_[player]->peer; }

  /// Sends an item, if its sender has credit for it: kWouldBlock or kTimedOut
  /// otherwise. Returns its id; what becomes of it comes to the inbox.
  [[nodiscard]] peer::Answer<std::uint64_t> send(std::size_t player, const ReplayItem& item,
                                                 const ReplayAim& aim);

  /// Which item a player sent under that id; nothing: none, or it is forgotten.
  [[nodiscard]] std::optional<std::size_t> place_of(std::size_t player, std::uint64_t id) const;

  void forget(std::size_t player, std::uint64_t id) { players_[player]->sent.erase(id); }

  /// Appends what to poll for, one for each player in their order.
  void add_descriptors(std::vector<pollfd>& descriptors) const;

 private:
  struct Player {
    std::string name;
    peer::Peer peer;
    std::unordered_map<std::uint64_t, std::size_t> sent = {};  // Places, by ids.
  };

  [[nodiscard]] bool connect(const Role& role, peer::Options options);
  [[nodiscard]] bool offer(const Role& service);
  void listen(std::size_t player);

  ReplayInbox& inbox_;
  std::vector<std::unique_ptr<Player>> players_;
  std::map<std::string, std::size_t, std::less<>> by_recorded_name_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
};

}  // namespace zpost::inspect
