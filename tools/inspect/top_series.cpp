#include "tools/inspect/top_series.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace zpost::inspect {
namespace {

std::uint32_t capped_sum(std::uint32_t left, std::uint64_t right) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
  return static_cast<std::uint32_t>(std::min(kMost, left + std::min(kMost, right)));
}

}  // namespace

void Meter::turn() {
  history_[next_] = told_.value_or(now_);
  next_ = (next_ + 1) % kSeconds;
  now_ = 0;
  told_.reset();
}

std::vector<std::uint64_t> Meter::latest(std::size_t most) const {
  const std::size_t count = std::min(most, kSeconds);
  std::vector<std::uint64_t> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = history_[(next_ + kSeconds - count + i) % kSeconds];
  }
  return values;
}

std::size_t LatencyWindow::bucket_of(std::uint64_t ns) {
  if (ns < kFinest) return static_cast<std::size_t>(ns);
  // Of the leading bit the power, of the next three the eighth.
  const auto power = static_cast<std::size_t>(std::bit_width(ns) - 1);
  const std::size_t eighth = (ns >> (power - 3)) & (kFinest - 1);
  return std::min((power - 2) * kFinest + eighth, kBuckets - 1);
}

std::uint64_t LatencyWindow::top_of(std::size_t bucket) {
  if (bucket < kFinest) return bucket;
  const std::size_t power = bucket / kFinest + 2;
  const std::size_t eighth = bucket % kFinest;
  return ((kFinest + eighth + 1) << (power - 3)) - 1;
}

void LatencyWindow::add(std::uint64_t ns, std::uint64_t count) {
  if (halves_.empty()) halves_.resize(2);
  std::uint32_t& cell = halves_.front()[bucket_of(ns)];
  cell = capped_sum(cell, count);
  worst_now_ = std::max(worst_now_, ns);
}

void LatencyWindow::turn() {
  worst_.tell(worst_now_);
  worst_.turn();
  worst_now_ = 0;
  if (halves_.empty() || ++turns_ % kTurnsOfHalf != 0) return;
  halves_.back() = halves_.front();
  halves_.front().fill(0);
}

std::optional<std::uint64_t> LatencyWindow::quantile(double share) const {
  if (halves_.empty()) return std::nullopt;
  std::uint64_t all = 0;
  for (const Histogram& half : halves_) {
    for (const std::uint32_t count : half) all += count;
  }
  if (all == 0) return std::nullopt;
  const auto wanted = std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(all))));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    seen += std::uint64_t{halves_.front()[bucket]} + halves_.back()[bucket];
    if (seen >= wanted) return top_of(bucket);
  }
  return top_of(kBuckets - 1);
}

}  // namespace zpost::inspect
