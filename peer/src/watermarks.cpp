#include "peer/src/watermarks.h"

#include <algorithm>

namespace zpost::peer {

void Watermarks::bring_to_front(std::string_view sender) {
  const auto found = marks_.find(sender);
  if (found != marks_.end()) {
    order_.splice(order_.begin(), order_, found->second);
    return;
  }
  if (order_.size() >= limit_) {
    runs_ -= order_.back().earlier.size();
    marks_.erase(order_.back().sender);
    order_.pop_back();
  }
  order_.push_front({.sender = std::string(sender)});
  marks_.emplace(order_.front().sender, order_.begin());
}

void Watermarks::take_back(std::string_view sender, std::uint64_t id) {
  const auto found = marks_.find(sender);
  if (found == marks_.end() || id == 0) return;
  Mark& mark = *found->second;
  mark.highest = std::min(mark.highest, id - 1);
  while (mark.latest.last >= id) {
    Run& latest = mark.latest;
    if (latest.first < id) {
      latest.last = latest.first + (id - 1 - latest.first) / latest.stride * latest.stride;
      if (latest.last == latest.first) latest.stride = 0;
    } else if (mark.earlier.empty()) {
      latest = {};
    } else {
      latest = mark.earlier.back();
      mark.earlier.pop_back();
      --runs_;
    }
  }
}

/// `id` does not go on with the latest run as it is.
void Watermarks::begin_run(Mark& mark, std::uint64_t id) {
  Run& latest = mark.latest;
  if (latest.first != 0 && latest.stride == 0) {
    latest.stride = id - latest.last;
    latest.last = id;
    return;
  }
  if (latest.first != 0) {
    if (mark.earlier.size() == kMostRuns) forget_runs(mark, kMostRuns / 2);
    if (runs_ == kMostRunsInAll) forget_runs(mark, mark.earlier.size());
    if (runs_ < kMostRunsInAll) {
      mark.earlier.push_back(latest);
      ++runs_;
    }
  }
  latest = {id, id, 0};
}

void Watermarks::forget_runs(Mark& mark, std::size_t count) {
  mark.earlier.erase(mark.earlier.begin(),
                     mark.earlier.begin() + static_cast<std::ptrdiff_t>(count));
  runs_ -= count;
}

bool Watermarks::passed(std::string_view sender, std::uint64_t id) const {
  const auto found = marks_.find(sender);
  if (found == marks_.end()) return false;
  const Mark& mark = *found->second;
  if (mark.latest.contains(id)) return true;
  const auto run = std::ranges::lower_bound(mark.earlier, id, {}, &Run::last);
  return run != mark.earlier.end() && run->contains(id);
}

}  // namespace zpost::peer
