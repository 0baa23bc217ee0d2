// Which ids of a sender have their final outcome.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "tools/bench/told.h"

namespace zpost::bench {

/// Counts outcomes, and notices those that do not belong to anything or come again. Thread: any.
class IdLedger {
 public:
  /// `told` must outlive the ledger.
  explicit IdLedger(ToldCounts& told) : told_(told) {}

  /// `first` is the lowest id that will be settled. Call before anything is sent.
  void begin(std::uint64_t first) { first_ = first; }

  void settle(std::uint64_t id, Outcome outcome) {
    const std::lock_guard lock(mutex_);
    const auto number = static_cast<std::size_t>(outcome);
    if (number >= told_.outcomes.size() || !mark(id)) {
      told_.stray.fetch_add(1);
    } else {
      told_.outcomes[number].fetch_add(1);
    }
  }

 private:
  static constexpr std::uint64_t kMostIds = std::uint64_t{1} << 36;  // Bounds the bits.

  [[nodiscard]] bool mark(std::uint64_t id) {
    if (id < first_ || id - first_ >= kMostIds) return false;
    const std::uint64_t word = (id - first_) / 64;
    const std::uint64_t bit = std::uint64_t{1} << ((id - first_) % 64);
    if (word >= settled_.size()) settled_.resize(word * 2 + 1024);
    if ((settled_[word] & bit) != 0) return false;
    settled_[word] |= bit;
    return true;
  }

  ToldCounts& told_;
  std::mutex mutex_;
  std::uint64_t first_ = 0;
  std::vector<std::uint64_t> settled_;  // One bit per id.
};

}  // namespace zpost::bench
