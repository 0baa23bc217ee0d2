// Which records are wanted, beyond what the broker filters. Pure.
#pragma once

#include <vector>

#include "tools/inspect/tail_filter.h"
#include "tools/inspect/tap_reader.h"

namespace zpost::inspect {

/// TailFilter for whole records. Thread: one.
class EntryChoice {
 public:
  explicit EntryChoice(TailFilter filter) : filter_(std::move(filter)) {}

  /// Whether a line of the record is wanted. To be asked of each record in its order: it remembers
  /// when envelopes were received. What was missed is not a line here.
  [[nodiscard]] bool wants(const TapEntry& entry);

 private:
  TailFilter filter_;
  std::vector<TailLine> lines_;
};

}  // namespace zpost::inspect
