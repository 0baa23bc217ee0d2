#include "tools/inspect/entry_choice.h"

namespace zpost::inspect {

bool EntryChoice::wants(const TapEntry& entry) {
  lines_.clear();
  append_lines(entry, lines_);
  bool wanted = false;
  for (TailLine& line : lines_) {
    // All of them are asked about: each is one that may have to be remembered.
    const bool this_one = filter_.wants(line);
    wanted = wanted || (this_one && line.event != TapEvent::kMissed);
  }
  return wanted;
}

}  // namespace zpost::inspect
