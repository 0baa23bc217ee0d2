#include "tools/inspect/line_choice.h"

#include <algorithm>

#include "tools/inspect/patterns.h"
#include "zpost/protocol/names.h"

namespace zpost::inspect {

bool LineChoice::wants(TailLine& line) {
  if (!filter_.wants(line)) return false;
  if (line.event == TapEvent::kMissed) return true;
  if (line.event == TapEvent::kSession) return is_wanted_session(line.from);
  if (!wish_.from.empty() && !matches_name_pattern(wish_.from, line.from)) return false;
  if (!wish_.to.empty() && !matches_target(wish_.to, line.to)) return false;
  return wish_.kinds.empty() ||
         std::ranges::find(wish_.kinds, static_cast<Kind>(line.kind_number)) != wish_.kinds.end();
}

/// As the broker has it: a session is one of a sender and of a recipient.
bool LineChoice::is_wanted_session(const std::string& name) const {
  if (wish_.from.empty() && wish_.to.empty()) return true;
  return (!wish_.from.empty() && matches_name_pattern(wish_.from, name)) ||
         (!wish_.to.empty() && matches_name_pattern(wish_.to, name));
}

}  // namespace zpost::inspect
