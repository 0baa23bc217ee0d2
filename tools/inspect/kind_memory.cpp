#include "tools/inspect/kind_memory.h"

namespace zpost::inspect {

bool KindMemory::learn_or_tell(TailLine& line) {
  if (line.event == TapEvent::kReceived) learn(line);
  // What JSON lines say of it stays.
  if (line.event != TapEvent::kDelivered || line.kind_number != 0) return true;
  const auto pair = pairs_.find({line.from, line.to});
  if (pair == pairs_.end()) return false;
  // Deliveries come in the order of the ids: what lies below is settled and can go.
  std::deque<Run>& runs = pair->second;
  while (!runs.empty() && runs.front().last < line.first_id) runs.pop_front();
  if (runs.empty() || runs.front().first > line.last_id) return false;
  line.kind_number = runs.front().kind_number;
  return true;
}

void KindMemory::learn(const TailLine& line) {
  if (pairs_.size() >= kMaxPairs) pairs_.clear();
  std::deque<Run>& runs = pairs_[{line.from, line.to}];
  const bool follows = !runs.empty() && runs.back().last + 1 == line.first_id;
  if (follows && runs.back().kind_number == line.kind_number) {
    runs.back().last = line.last_id;
    return;
  }
  if (runs.size() >= kMaxRuns) runs.pop_front();
  runs.push_back({line.first_id, line.last_id, line.kind_number});
}

}  // namespace zpost::inspect
