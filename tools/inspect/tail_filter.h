// Which lines are wanted, beyond what the broker filters. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <set>

#include "protocol/filter/filter.h"
#include "protocol/filter/latency_memory.h"
#include "tools/inspect/kind_memory.h"
#include "tools/inspect/tail_line.h"

namespace zpost::inspect {

/// What a filter is asked about; views into `line`.
[[nodiscard]] filter::Subject subject_of(const TailLine& line);

class TailFilter {
 public:
  /// Whether the broker chose by the same filter: it knows what cannot be told here.
  enum class Judged : std::uint8_t { kBefore, kHere };

  /// `filter`: what the broker was asked for, too, if it judged before. It decides of runs, here
  /// each envelope is judged. `events`: empty: all. `by_kind`: the broker was asked for some kinds
  /// only; it cannot tell of which kind a delivery is.
  TailFilter(std::set<TapEvent> events, bool by_kind,
             std::optional<filter::Filter> filter = std::nullopt, Judged judged = Judged::kBefore)
      : events_(std::move(events)),
        by_kind_(by_kind),
        judged_(judged),
        filter_(std::move(filter)) {}

  /// Completes `line`. False: it is not wanted. What was missed is always told.
  [[nodiscard]] bool wants(TailLine& line);

 private:
  std::set<TapEvent> events_;
  bool by_kind_;
  Judged judged_;
  std::optional<filter::Filter> filter_;
  KindMemory kinds_;
  filter::LatencyMemory latencies_;
};

}  // namespace zpost::inspect
