// The counters behind metrics, `who`, `stats` and tests. docs/architecture.md, "Accounting".
#pragma once

#include <array>
#include <cstdint>

#include "zpost/protocol/outcomes.h"

namespace zpost::core {

/// In envelopes. received + copies == delivered + unconfirmed + held + failed at every moment.
struct Accounting {
  std::uint64_t received = 0;     // Payload from welcomed peers.
  std::uint64_t copies = 0;       // Extra copies of a fan-out, and what the broker itself sends.
  std::uint64_t delivered = 0;    // Taken by a recipient that acknowledges, or by the broker.
  std::uint64_t unconfirmed = 0;  // Handed to one that does not.
  std::uint64_t held = 0;         // Waiting or unacknowledged.
  std::uint64_t failed = 0;
  std::array<std::uint64_t, kOutcomeTableSize> failed_by{};

  // Of requests and calls beyond their envelopes; no part of the sum.
  std::uint64_t exchanges_failed = 0;  // Taken, or maybe, and ended without a reply.
  std::uint64_t late_replies = 0;      // To what was not open, or not the replier's to answer.

  void fail(Outcome why, std::uint64_t count = 1) {
    failed += count;
    failed_by[static_cast<std::size_t>(why)] += count;
  }

  [[nodiscard]] bool balanced() const {
    return received + copies == delivered + unconfirmed + held + failed;
  }
};

}  // namespace zpost::core
