// Which exchanges a filter wants. Pure. docs/filter.md.
#pragma once

#include "protocol/filter/filter.h"
#include "tools/inspect/exchange_pairs.h"
#include "tools/inspect/exchange_text.h"

namespace zpost::inspect {

/// Puts `filter` to the whole of it: a test holds if it holds of the request, of its end, of the
/// last reply, or of what happened in between. What may be so is wanted, as of single records.
[[nodiscard]] bool wants_exchange(const filter::Filter& filter, const Exchange& exchange,
                                  const ExchangeLines& lines);

}  // namespace zpost::inspect
