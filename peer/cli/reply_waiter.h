// Replies handed from whichever thread they come on to the one that prints them.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "zpost/peer/peer.h"

namespace zpost::cli {

class ReplyWaiter {
 public:
  using Reply = peer::Answer<peer::Message>;

  /// What to call back with each reply, on any thread. It may outlive this.
  [[nodiscard]] std::function<void(Reply)> sink() {
    return [shared = shared_](Reply reply) {
      const std::scoped_lock lock(shared->mutex);
      shared->replies.push_back(std::move(reply));
      shared->arrived.notify_one();
    };
  }

  /// The next reply; nothing: none within `timeout`.
  [[nodiscard]] std::optional<Reply> next(std::chrono::milliseconds timeout) {
    std::unique_lock lock(shared_->mutex);
    if (!shared_->arrived.wait_for(lock, timeout, [this] { return !shared_->replies.empty(); })) {
      return std::nullopt;
    }
    Reply reply = std::move(shared_->replies.front());
    shared_->replies.pop_front();
    return reply;
  }

 private:
  struct Shared {
    std::mutex mutex;
    std::condition_variable arrived;
    std::deque<Reply> replies;
  };

  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

}  // namespace zpost::cli
