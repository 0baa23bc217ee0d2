// Which lines of records are wanted: by the header, the filter, and the event. Pure.
#pragma once

#include <optional>
#include <set>

#include "tools/inspect/tail_filter.h"
#include "tools/inspect/tap_request.h"

namespace zpost::inspect {

/// By the same rules as tail has, and the broker for it. Thread: one.
class LineChoice {
 public:
  /// `wish`: its patterns and kinds; `filter` is its filter, compiled. `judged`: whether the broker
  /// was asked for the same.
  LineChoice(TapWish wish, std::set<TapEvent> events, std::optional<filter::Filter> filter,
             TailFilter::Judged judged = TailFilter::Judged::kHere)
      : wish_(std::move(wish)),
        filter_(std::move(events), !wish_.kinds.empty(), std::move(filter), judged) {}

  /// Completes `line`. False: it is not wanted. To be asked about each line in its order.
  [[nodiscard]] bool wants(TailLine& line);

 private:
  [[nodiscard]] bool is_wanted_session(const std::string& name) const;

  TapWish wish_;
  TailFilter filter_;
};

}  // namespace zpost::inspect
