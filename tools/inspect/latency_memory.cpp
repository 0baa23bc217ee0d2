#include "tools/inspect/latency_memory.h"

#include <algorithm>

namespace zpost::inspect {

void LatencyMemory::learn_or_tell(TailLine& line) {
  if (line.event == TapEvent::kReceived) return learn(line);
  if (line.event == TapEvent::kSession || line.event == TapEvent::kMissed) return;
  const auto sender = senders_.find(line.from);
  if (sender == senders_.end()) return;
  const std::deque<Mark>& marks = sender->second;
  const auto after = std::ranges::upper_bound(marks, line.first_id, {}, &Mark::first);
  if (after == marks.begin()) return;
  const Mark& mark = *std::prev(after);
  if (line.first_id > mark.last || line.time_ns < mark.time_ns) return;
  line.latency_ns = line.time_ns - mark.time_ns;
}

void LatencyMemory::learn(const TailLine& line) {
  if (senders_.size() >= kMaxSenders && !senders_.contains(line.from)) senders_.clear();
  std::deque<Mark>& marks = senders_[line.from];
  // Runs to several recipients overlap within a frame, and then are as old as each other.
  if (!marks.empty() && marks.back().time_ns == line.time_ns) {
    marks.back().first = std::min(marks.back().first, line.first_id);
    marks.back().last = std::max(marks.back().last, line.last_id);
    return;
  }
  if (marks.size() >= kMaxMarks) marks.pop_front();
  marks.push_back({line.first_id, line.last_id, line.time_ns});
}

}  // namespace zpost::inspect
