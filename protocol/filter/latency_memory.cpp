#include "protocol/filter/latency_memory.h"

#include <algorithm>

namespace zpost::filter {

void LatencyMemory::learn_or_tell(Subject& subject, std::uint64_t time_ns) {
  if (subject.event == TapEvent::kReceived) return learn(subject, time_ns);
  if (subject.first_id == 0) return;
  const auto sender = senders_.find(subject.from);
  if (sender == senders_.end()) return;
  const std::deque<Mark>& marks = sender->second;
  const auto after = std::ranges::upper_bound(marks, subject.first_id, {}, &Mark::first);
  if (after == marks.begin()) return;
  const Mark& mark = *std::prev(after);
  if (subject.first_id > mark.last || time_ns < mark.time_ns) return;
  subject.latency_ns = time_ns - mark.time_ns;
}

void LatencyMemory::learn(const Subject& subject, std::uint64_t time_ns) {
  auto sender = senders_.find(subject.from);
  if (sender == senders_.end()) {
    if (senders_.size() >= kMaxSenders) senders_.clear();
    sender = senders_.emplace(subject.from, std::deque<Mark>()).first;
  }
  std::deque<Mark>& marks = sender->second;
  // Runs to several recipients overlap within a turn of the broker, and then are as old as each
  // other.
  if (!marks.empty() && marks.back().time_ns == time_ns) {
    marks.back().first = std::min(marks.back().first, subject.first_id);
    marks.back().last = std::max(marks.back().last, subject.last_id);
    return;
  }
  if (marks.size() >= kMaxMarks) marks.pop_front();
  marks.push_back({subject.first_id, subject.last_id, time_ns});
}

}  // namespace zpost::filter
