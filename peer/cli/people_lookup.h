// Asks the broker who is here while a person goes on typing.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "zpost/peer/peer.h"

namespace zpost::cli {

/// Waits for the broker on a thread of its own. Thread: one, but for that.
class PeopleLookup {
 public:
  using People = peer::Answer<std::vector<peer::Peer::PeerInfo>>;
  using Then = std::function<void(const People&)>;

  explicit PeopleLookup(peer::Peer& peer);
  /// Waits until the peer answers, which it does soon, and at once when it is closed.
  ~PeopleLookup();
  PeopleLookup(const PeopleLookup&) = delete;
  PeopleLookup& operator=(const PeopleLookup&) = delete;

  /// `then` is called by deliver(), with the answer or why there is none. Who asks before an
  /// earlier answer came gets the same.
  void ask(Then then);

  [[nodiscard]] bool is_under_way() const { return !waiting_.empty(); }

  /// For poll(2): readable when deliver() has something to tell.
  [[nodiscard]] int descriptor() const { return arrived_; }

  /// Tells those who asked, if the answer is there.
  void deliver();

 private:
  void look();

  peer::Peer& peer_;
  int arrived_;  // An eventfd.
  std::vector<Then> waiting_;
  std::mutex mutex_;
  std::optional<People> people_;  // Under the mutex.
  std::thread thread_;
};

}  // namespace zpost::cli
