// Which kinds the latest envelopes were of: records of deliveries do not say it. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>

#include "tools/inspect/tail_line.h"

namespace zpost::inspect {

/// Bounded: what was received long ago is forgotten, the oldest of a pair first.
class KindMemory {
 public:
  static constexpr std::size_t kMaxRuns = 1024;  // Of a pair.
  static constexpr std::size_t kMaxPairs = 4096;

  /// Remembers received envelopes, and puts the kind into lines of deliveries. False: the kind of a
  /// delivery is not known.
  bool learn_or_tell(TailLine& line);

 private:
  struct Run {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::uint8_t kind_number = 0;
  };

  void learn(const TailLine& line);

  std::map<std::pair<std::string, std::string>, std::deque<Run>> pairs_;
};

}  // namespace zpost::inspect
