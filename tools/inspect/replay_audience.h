// Stands in for the subscribers of a recording, of whom it has the numbers and not the names.
#pragma once

#include <poll.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tools/inspect/replay_plan.h"
#include "zpost/peer/peer.h"

namespace zpost::inspect {

/// A publish that went to five queues finds five subscribers: those at the broker, and as many of
/// these as are missing. They take what comes. Thread: one.
class ReplayAudience {
 public:
  // Each is a connection and a thread.
  static constexpr std::size_t kMaxSubscribers = 64;

  /// `conductor` asks the broker who subscribes, and must outlive this.
  explicit ReplayAudience(peer::Peer& conductor) : conductor_(conductor) {}

  /// Connects as many as the widest publish needs that is sent again, at most kMaxSubscribers.
  /// False: why was said on standard error.
  [[nodiscard]] bool open(const ReplayPlan& plan, const std::vector<bool>& is_sent,
                          const peer::Options& options);

  /// Before a publish of `sender` to `topic` that went to so many queues: lets so many subscribe.
  void gather(const std::string& sender, const std::string& topic, std::uint32_t queues);

  /// Takes what has arrived.
  void receive();

  /// Goodbye to all.
  void close();

  void add_descriptors(std::vector<pollfd>& descriptors) const;

  [[nodiscard]] std::size_t size() const { return subscribers_.size(); }

 private:
  struct Topic {
    std::size_t real = 0;  // Queues of others, before the first publish.
    std::size_t ours = 0;  // The first so many of our subscribers.
  };

  [[nodiscard]] std::size_t real_queues(const std::string& sender, const std::string& topic);

  peer::Peer& conductor_;
  std::vector<peer::Peer> subscribers_;
  std::map<std::string, Topic, std::less<>> topics_;
};

}  // namespace zpost::inspect
