// Tells on standard error how the session fares while a verb runs.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "zpost/peer/peer.h"

namespace zpost::cli {

/// Takes the peer's changes of state: says what a person should know and remembers the end.
class SessionWatch {
 public:
  /// `on_fresh` is called when the session began anew, on the thread that notices; it may be called
  /// as long as the peer lives.
  explicit SessionWatch(peer::Peer& peer, std::function<void()> on_fresh = {});

  /// The broker refused this peer for good; why was said.
  [[nodiscard]] bool is_over() const { return seen_->over; }

  /// What is sent now arrives without waiting for another connection.
  [[nodiscard]] bool is_connected() const { return seen_->connected; }

  /// How often the session began anew at the broker, so that what it asked for is to be asked
  /// again.
  [[nodiscard]] unsigned fresh_sessions() const { return seen_->fresh_sessions; }

 private:
  // Shared with the callback, which the peer may keep longer than this lives.
  struct Seen {
    std::atomic<bool> over = false;
    std::atomic<bool> connected = true;
    std::atomic<unsigned> fresh_sessions = 0;
  };

  std::shared_ptr<Seen> seen_;
};

}  // namespace zpost::cli
