// What became of the payloads of one pair, or of several.
#pragma once

#include <cstdint>

#include "tools/bench/stream.h"

namespace zpost::bench {

struct PairLedger {
  std::uint64_t sent = 0;
  std::uint64_t arrived = 0;  // Intact, each once.
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;
  std::uint64_t corrupt = 0;

  [[nodiscard]] bool clean() const { return duplicated + reordered + corrupt == 0; }

  [[nodiscard]] std::uint64_t lost() const { return sent - arrived; }

  PairLedger& operator+=(const PairLedger& other) {
    sent += other.sent;
    arrived += other.arrived;
    duplicated += other.duplicated;
    reordered += other.reordered;
    corrupt += other.corrupt;
    return *this;
  }
};

inline PairLedger ledger_of(const StreamCounts& counts) {
  return {.sent = counts.drawn.load(),
          .arrived = counts.intact.load(),
          .duplicated = counts.duplicated.load(),
          .reordered = counts.reordered.load(),
          .corrupt = counts.corrupt.load()};
}

}  // namespace zpost::bench
