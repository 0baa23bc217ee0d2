// Replies made inside a callback, where nothing may wait, until there is credit for them.
//
// Pure: no sockets, clocks or threads. Bounded, and to one recipient to a quarter of the bounds, so
// that who asks much and takes no answer stops only its own.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "zpost/protocol/envelope.h"

namespace zpost::peer {

/// An envelope to be sent. Views are read during the call.
struct Draft {
  Kind kind = Kind::kSend;
  std::string_view to;
  Bytes body;
  bool text = false;
  Meta meta;

  /// Whether all but its id and body is the same for all to this recipient or topic.
  [[nodiscard]] bool plain() const {
    return (kind == Kind::kSend || kind == Kind::kPublish) && !text && meta.empty();
  }
};

class ReplyReserve {
 public:
  static constexpr std::size_t kMaxReplies = 1024;
  static constexpr std::size_t kMaxBytes = 1 << 20;
  static constexpr std::size_t kShare = 4;

  /// Keeps a copy of `draft`. False: full, or full for its recipient. Both bounds admit one reply
  /// of any size when nothing is there.
  [[nodiscard]] bool put(const Draft& draft);

  [[nodiscard]] bool empty() const { return replies_ == 0; }

  [[nodiscard]] std::size_t size() const { return replies_; }

  /// Whether any waits for credit of `to`.
  [[nodiscard]] bool holds(std::string_view to) const { return queues_.contains(to); }

  /// Offers each recipient's replies in order to `take`, until it says no.
  void offer(const std::function<bool(const Draft&)>& take);

 private:
  struct Reply {
    std::vector<std::byte> body;
    std::string content_type;
    std::string trace;
    Draft draft;  // Its views are set when it is offered.
  };

  struct Queue {
    std::deque<Reply> replies;
    std::size_t bytes = 0;
  };

  std::map<std::string, Queue, std::less<>> queues_;
  std::size_t replies_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace zpost::peer
