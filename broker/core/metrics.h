// What the broker tells of itself in numbers. docs/metrics.md explains each.
#pragma once

#include <array>
#include <cstdint>

#include "broker/core/accounting.h"
#include "broker/core/latencies.h"

namespace zpost::core {

/// What the accounting does not count. Since the start.
struct Tally {
  std::uint64_t sessions = 0;                                 // Begun; a resumed one goes on.
  std::uint64_t receipts = 0;                                 // Sent.
  std::uint64_t violations = 0;                               // Of the protocol.
  std::array<std::uint64_t, kOutcomeTableSize> refused_by{};  // Hellos and frames of strangers.
};

/// Taken at one moment, all of it.
struct Metrics {
  Accounting accounting;
  Tally tally;
  Latencies latencies;

  // Peers.
  std::uint64_t active = 0;
  std::uint64_t away = 0;
  std::uint64_t expected = 0;  // docs/adr/0005.
  std::uint64_t inspectors = 0;

  // What is held for them.
  std::uint64_t waiting_bytes = 0;         // Not handed over yet,
  std::uint64_t unacknowledged_bytes = 0;  // or not taken yet.
  std::uint64_t unacknowledged = 0;        // Envelopes, control that is acknowledged included.
  std::uint64_t peers_with_queue = 0;      // For whom something waits.
  std::uint64_t fullest_queue_bytes = 0;   // What waits for one of them at most.
  std::uint64_t held_bytes = 0;            // All of it, by the core's count.
  std::uint64_t granted_bytes = 0;         // Credit.
  std::uint64_t memory_limit = 0;

  std::uint64_t subscriptions = 0;
  std::uint64_t retained = 0;  // Topics.
  std::uint64_t retained_bytes = 0;
  std::uint64_t services = 0;
  std::uint64_t workers = 0;  // Offers of all services.
  std::uint64_t waiting_calls = 0;
  std::uint64_t open_exchanges = 0;  // Requests and calls without a reply yet.
};

}  // namespace zpost::core
