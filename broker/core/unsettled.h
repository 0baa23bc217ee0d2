// Envelopes of one sender that are settled in any order, while receipts go by the order of ids.
#pragma once

#include <cstdint>
#include <deque>

namespace zpost::core {

/// What a pair has outstanding that no single recipient's stream keeps in order: publishes that
/// wait for slow subscribers, calls that several workers take. Entries are numbered from 1.
class Unsettled {
 public:
  /// Neighbours with ids up to `last_id` that `holders` have to settle. Returns their number.
  std::uint64_t add(std::uint64_t last_id, std::uint32_t holders) {
    entries_.push_back({last_id, holders});
    return first_ + entries_.size() - 1;
  }

  /// One of its holders settled the entry. True if it was the last one.
  bool settle(std::uint64_t number) {
    return --entries_[static_cast<std::size_t>(number - first_)].holders == 0;
  }

  [[nodiscard]] bool empty() const { return entries_.empty(); }

  /// Forgets what is settled at the front: the last id up to which everything is; `position` if
  /// nothing was.
  std::uint64_t advance(std::uint64_t position) {
    for (; !entries_.empty() && entries_.front().holders == 0; entries_.pop_front(), ++first_) {
      position = entries_.front().last_id;
    }
    return position;
  }

 private:
  struct Entry {
    std::uint64_t last_id = 0;
    std::uint32_t holders = 0;
  };

  std::deque<Entry> entries_;
  std::uint64_t first_ = 1;
};

}  // namespace zpost::core
