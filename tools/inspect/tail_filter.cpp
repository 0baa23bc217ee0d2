#include "tools/inspect/tail_filter.h"

namespace zpost::inspect {

bool TailFilter::wants(TailLine& line) {
  const bool known = kinds_.learn_or_tell(line);
  if (line.event == TapEvent::kMissed) return true;
  if (!known && by_kind_) return false;
  return events_.empty() || events_.contains(line.event);
}

}  // namespace zpost::inspect
