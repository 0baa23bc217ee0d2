// When the latest envelopes were received, so that what becomes of them can say after how long.
// Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "tools/inspect/tail_line.h"

namespace zpost::inspect {

/// Bounded: of each sender the oldest are forgotten first. What was missed is not known.
class LatencyMemory {
 public:
  static constexpr std::size_t kMaxMarks = 4096;  // Of a sender.
  static constexpr std::size_t kMaxSenders = 4096;

  /// Remembers received envelopes, and puts the latency into lines of what became of them. Of a run
  /// that of its first envelope.
  void learn_or_tell(TailLine& line);

 private:
  /// Ids of a sender only grow: so do these.
  struct Mark {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::uint64_t time_ns = 0;
  };

  void learn(const TailLine& line);

  std::map<std::string, std::deque<Mark>> senders_;
};

}  // namespace zpost::inspect
