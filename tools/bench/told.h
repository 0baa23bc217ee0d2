// What a system told of the payloads of one pair.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "zpost/protocol/outcomes.h"

namespace zpost::bench {

/// In shared memory. They survive the death of the process that wrote them.
struct ToldCounts {
  /// Written by the sender: final outcomes, by the number of the outcome.
  std::array<std::atomic<std::uint64_t>, kOutcomeTableSize> outcomes = {};
  /// Written by the sender: outcomes of what had one already, or was never sent.
  std::atomic<std::uint64_t> stray = 0;
  /// Written by the receiver: what its program took but had not acknowledged when its session was
  /// given up. The sender was told that these are lost.
  std::atomic<std::uint64_t> taken_in_vain = 0;
};

}  // namespace zpost::bench
