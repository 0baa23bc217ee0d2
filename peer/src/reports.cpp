#include "peer/src/reports.h"

#include <algorithm>
#include <utility>

namespace zpost::peer {

void Reports::add(std::string_view to, std::uint64_t first_id, std::uint64_t count, Outcome outcome,
                  std::string_view text) {
  add({order_++, first_id, count, outcome, std::string(to), std::string(text), {}});
}

void Reports::add_counted(std::string_view to, std::uint64_t id, Outcome outcome,
                          std::uint64_t counted) {
  add({order_++, id, 1, outcome, std::string(to), {}, counted});
}

void Reports::add(Entry entry) {
  std::deque<Entry>& queue = is_success(entry.outcome) ? successes_ : failures_;
  held_ += entry.count;
  queue.push_back(std::move(entry));
  while (held_ > limit_) drop_oldest();
}

void Reports::drop_oldest() {
  std::deque<Entry>& queue = successes_.empty() ? failures_ : successes_;
  Entry& oldest = queue.front();
  const std::uint64_t count = std::min<std::uint64_t>(oldest.count, held_ - limit_);
  oldest.first_id += count;
  oldest.count -= count;
  if (oldest.count == 0) queue.pop_front();
  held_ -= count;
  dropped_ += count;
}

std::optional<OutcomeReport> Reports::next() {
  if (empty()) return std::nullopt;
  const bool success_first =
      failures_.empty() ||
      (!successes_.empty() && successes_.front().order < failures_.front().order);
  std::deque<Entry>& queue = success_first ? successes_ : failures_;
  Entry& entry = queue.front();
  OutcomeReport report{entry.first_id, entry.to, entry.outcome, entry.text, entry.counted};
  ++entry.first_id;
  --held_;
  if (--entry.count == 0) queue.pop_front();
  return report;
}

}  // namespace zpost::peer
