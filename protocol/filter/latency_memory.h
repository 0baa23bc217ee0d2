// When the latest envelopes were received, so that what becomes of them can say after how long.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>

#include "protocol/filter/subject.h"

namespace zpost::filter {

/// Bounded: of each sender the oldest are forgotten first. What was not told it does not know.
class LatencyMemory {
 public:
  static constexpr std::size_t kMaxMarks = 4096;  // Of a sender.
  static constexpr std::size_t kMaxSenders = 4096;

  /// Remembers received envelopes, and gives its latency to what became of them: of a run that of
  /// its first envelope. `time_ns` is the record's.
  void learn_or_tell(Subject& subject, std::uint64_t time_ns);

 private:
  /// Ids of a sender only grow: so do these.
  struct Mark {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::uint64_t time_ns = 0;
  };

  void learn(const Subject& subject, std::uint64_t time_ns);

  std::map<std::string, std::deque<Mark>, std::less<>> senders_;
};

}  // namespace zpost::filter
