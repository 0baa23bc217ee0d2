#include "peer/cli/reply_queue.h"

#include <fmt/format.h>

#include <utility>

#include "peer/cli/shared/units.h"

namespace zpost::cli {

void ReplyQueue::put(QueuedReply reply) {
  const Entry known = waiting_.find(reply.to);
  if (known == waiting_.end() && sinks_.send(reply)) return;
  if (!has_place(known == waiting_.end() ? Waiting() : known->second, reply.body.size())) {
    if (known != waiting_.end()) return drop(known);
    return sinks_.message(fmt::format(
        "reply to {} dropped: it does not take replies, and too many wait for others", reply.to));
  }
  Waiting& waiting = waiting_[reply.to];
  waiting.bytes += reply.body.size();
  bytes_ += reply.body.size();
  ++replies_;
  waiting.replies.push_back(std::move(reply));
}

bool ReplyQueue::has_place(const Waiting& waiting, std::size_t bytes) const {
  if (replies_ >= kMaxRepliesInAll || bytes_ + bytes > kMaxBytesInAll) return replies_ == 0;
  if (waiting.replies.empty()) return true;
  return waiting.replies.size() < kMaxReplies && waiting.bytes + bytes <= kMaxBytes;
}

/// A requester that takes nothing is named once, not with each of its requests.
void ReplyQueue::drop(Entry entry) {
  auto& [to, waiting] = *entry;
  if (++waiting.dropped > 1) return;
  sinks_.message(fmt::format("replies to {} are dropped: it does not take the {} that wait", to,
                             count_text(waiting.replies.size())));
}

void ReplyQueue::retry() {
  for (Entry entry = waiting_.begin(); entry != waiting_.end();) entry = send_waiting(entry);
}

ReplyQueue::Entry ReplyQueue::send_waiting(Entry entry) {
  Waiting& waiting = entry->second;
  while (!waiting.replies.empty()) {
    const QueuedReply& next = waiting.replies.front();
    if (!sinks_.send(next)) return std::next(entry);
    waiting.bytes -= next.body.size();
    bytes_ -= next.body.size();
    --replies_;
    waiting.replies.pop_front();
  }
  return forget(entry);
}

void ReplyQueue::give_up() {
  for (Entry entry = waiting_.begin(); entry != waiting_.end();) {
    entry->second.dropped += entry->second.replies.size();
    entry = forget(entry);
  }
  replies_ = bytes_ = 0;
}

ReplyQueue::Entry ReplyQueue::forget(Entry entry) {
  const auto& [to, waiting] = *entry;
  if (waiting.dropped > 0) {
    sinks_.message(fmt::format(
        "{} to {} dropped",
        waiting.dropped == 1 ? "1 reply" : count_text(waiting.dropped) + " replies", to));
  }
  return waiting_.erase(entry);
}

}  // namespace zpost::cli
