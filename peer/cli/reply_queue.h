// Replies that wait until whoever asked has room for them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>

namespace zpost::cli {

struct QueuedReply {
  std::string to;
  std::uint64_t id = 0;   // Of the request.
  bool rejected = false;  // The body says why.
  std::string body;
  bool more = false;  // Others to the same request follow.
};

/// Keeps the order of each requester's replies; none waits for another requester. Bounded: what
/// goes beyond is dropped, the newest first, and that is said. Pure but for its two sinks.
/// Thread: one.
class ReplyQueue {
 public:
  // For one requester; a single reply may be larger.
  static constexpr std::size_t kMaxReplies = 64;
  static constexpr std::size_t kMaxBytes = 4 << 20;
  // For all.
  static constexpr std::size_t kMaxRepliesInAll = 1024;
  static constexpr std::size_t kMaxBytesInAll = 64 << 20;

  struct Sinks {
    std::function<bool(const QueuedReply&)> send;  // Without waiting. False: there is no room now.
    std::function<void(const std::string&)> message;  // For people.
  };

  explicit ReplyQueue(Sinks sinks) : sinks_(std::move(sinks)) {}

  /// Sends it now, later or never.
  void put(QueuedReply reply);

  /// Sends what there is room for by now.
  void retry();

  /// Drops all that waits.
  void give_up();

  [[nodiscard]] bool empty() const { return waiting_.empty(); }

  /// Whether any waits for this requester.
  [[nodiscard]] bool holds(const std::string& to) const { return waiting_.contains(to); }

 private:
  /// Replies to one requester.
  struct Waiting {
    std::deque<QueuedReply> replies;
    std::size_t bytes = 0;
    std::uint64_t dropped = 0;
  };

  using Entry = std::map<std::string, Waiting>::iterator;

  [[nodiscard]] bool has_place(const Waiting& waiting, std::size_t bytes) const;
  void drop(Entry entry);
  Entry forget(Entry entry);
  [[nodiscard]] Entry send_waiting(Entry entry);

  Sinks sinks_;
  std::map<std::string, Waiting> waiting_;  // By requester; none is empty.
  std::size_t replies_ = 0;                 // Of all.
  std::size_t bytes_ = 0;
};

}  // namespace zpost::cli
