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
    marks_.erase(order_.back().sender);
    order_.pop_back();
  }
  order_.push_front({std::string(sender), 0});
  marks_.emplace(order_.front().sender, order_.begin());
}

void Watermarks::take_back(std::string_view sender, std::uint64_t id) {
  const auto found = marks_.find(sender);
  if (found == marks_.end() || id == 0) return;
  found->second->highest = std::min(found->second->highest, id - 1);
}

}  // namespace zpost::peer
