#include "peer/src/reply_reserve.h"

#include <utility>

namespace zpost::peer {
namespace {

/// Whether one more, of `bytes`, keeps within the bounds. The first may have any size.
bool fits(std::size_t replies, std::size_t held, std::size_t bytes, std::size_t share) {
  if (replies == 0) return true;
  return replies < ReplyReserve::kMaxReplies / share &&
         held + bytes <= ReplyReserve::kMaxBytes / share;
}

}  // namespace

bool ReplyReserve::put(const Draft& draft) {
  const std::size_t bytes =
      draft.body.size() + draft.meta.content_type.size() + draft.meta.trace.size();
  if (!fits(replies_, bytes_, bytes, 1)) return false;
  const auto known = queues_.find(draft.to);
  if (known != queues_.end() &&
      !fits(known->second.replies.size(), known->second.bytes, bytes, kShare)) {
    return false;
  }
  Queue& queue = known != queues_.end() ? known->second : queues_[std::string(draft.to)];
  queue.replies.push_back({{draft.body.begin(), draft.body.end()},
                           std::string(draft.meta.content_type),
                           std::string(draft.meta.trace),
                           draft});
  queue.bytes += bytes;
  bytes_ += bytes;
  ++replies_;
  return true;
}

void ReplyReserve::offer(const std::function<bool(const Draft&)>& take) {
  for (auto place = queues_.begin(); place != queues_.end();) {
    auto& [to, queue] = *place;
    while (!queue.replies.empty()) {
      Reply& reply = queue.replies.front();
      reply.draft.to = to;
      reply.draft.body = reply.body;
      reply.draft.meta.content_type = reply.content_type;
      reply.draft.meta.trace = reply.trace;
      if (!take(reply.draft)) break;
      const std::size_t bytes = reply.body.size() + reply.content_type.size() + reply.trace.size();
      queue.bytes -= bytes;
      bytes_ -= bytes;
      --replies_;
      queue.replies.pop_front();
    }
    place = queue.replies.empty() ? queues_.erase(place) : std::next(place);
  }
}

}  // namespace zpost::peer
