#include "tools/inspect/recorder_words.h"

#include <fmt/format.h>

#include <algorithm>

#include "peer/cli/shared/timestamps.h"
#include "peer/cli/shared/units.h"
#include "tools/inspect/story.h"

namespace zpost::inspect {

std::string recorder_reach(const RecallEnd& end, std::uint64_t now_ns) {
  if (end.oldest_ns == 0) return "it is empty, or switched off (recorder.memory = 0)";
  std::string text =
      fmt::format("it reaches back {}, to {}", span_text(now_ns - std::min(now_ns, end.oldest_ns)),
                  cli::local_time_us(end.oldest_ns));
  if (end.missed > 0) text += fmt::format(", and missed {}", cli::counted(end.missed, "record"));
  return text;
}

}  // namespace zpost::inspect
