// The memory run: what many idle peers cost the server, and what they cost after they have talked.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "tools/bench/kernel_stats.h"
#include "tools/bench/run.h"
#include "tools/bench/system.h"

namespace zpost::bench {

inline constexpr std::uint32_t kMaxRingPeers = 20'000;

/// Peers stand in a ring: each sends to the next and receives from the one before.
struct MemoryWork {
  std::uint32_t peers = 1'000;
  std::uint64_t envelopes = 1'000;  // That each peer sends, and receives.
  std::size_t payload_bytes = 64;
  std::chrono::duration<double> idle{5};  // How long the idle server is watched.
  std::chrono::seconds timeout{300};      // For the whole run.
};

struct MemoryRun {
  RunRecord record;
  MemoryShare at_start;         // Of the server, without any peer.
  MemoryShare after_hello;      // All peers are connected and have sent no payload.
  MemoryShare after_envelopes;  // All envelopes have arrived.
  double idle_cores = 0;        // Cores the server used while all peers were connected and idle.
  std::uint64_t sent = 0;
  std::uint64_t received = 0;  // Intact, each once.
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;
  std::uint64_t corrupt = 0;

  [[nodiscard]] std::uint64_t lost() const { return sent - received; }

  [[nodiscard]] bool flawless() const {
    return record.finished() && lost() + duplicated + reordered + corrupt == 0;
  }
};

/// Growth from `before` to `after` per peer, in KiB. Below zero if it shrank.
double kib_per_peer(std::uint64_t before, std::uint64_t after, std::uint32_t peers);

/// What the machine must allow, when one peer of the ring costs `cost`.
Needs needs_of_ring(const MemoryWork& work, const ClientCost& cost);

/// Fails at once, naming the limit, when the machine does not allow so many peers.
/// REQUIRES: system.measures(Measure::kMemory). Throws Interrupted only.
MemoryRun run_memory(const System& system, const MemoryWork& work);

}  // namespace zpost::bench
