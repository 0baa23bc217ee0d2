// Which lines are wanted, beyond what the broker filters. Pure.
#pragma once

#include <set>

#include "tools/inspect/kind_memory.h"
#include "tools/inspect/tail_line.h"

namespace zpost::inspect {

class TailFilter {
 public:
  /// `events`: empty: all. `by_kind`: the broker was asked for some kinds only; it cannot tell of
  /// which kind a delivery is.
  TailFilter(std::set<TapEvent> events, bool by_kind)
      : events_(std::move(events)), by_kind_(by_kind) {}

  /// Completes `line`. False: it is not wanted. What was missed is always told.
  [[nodiscard]] bool wants(TailLine& line);

 private:
  std::set<TapEvent> events_;
  bool by_kind_;
  KindMemory kinds_;
};

}  // namespace zpost::inspect
