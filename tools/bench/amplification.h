// The amplification run: small envelopes for a peer that stands still, between large ones for
// peers that read. A server that keeps what came along with the small ones holds many times their
// size.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "tools/bench/kernel_stats.h"
#include "tools/bench/run.h"
#include "tools/bench/system.h"

namespace zpost::bench {

struct AmplificationWork {
  std::uint32_t senders = 3;          // Each with a receiver of its own that reads.
  std::uint64_t envelopes = 100'000;  // Large ones of each sender.
  std::size_t small_bytes = 64;       // To the one that stands still.
  std::size_t large_bytes = 4'095;    // To those that read.
  std::uint64_t memory_bytes = std::uint64_t{256} << 20;  // The server's limit.
  std::chrono::seconds timeout{120};                      // For the whole run.
};

struct AmplificationRun {
  RunRecord record;
  MemoryShare at_start;      // Of the server, without any peer.
  MemoryShare while_held;    // All large envelopes have arrived, the small ones are held.
  std::uint64_t held = 0;    // Small envelopes that the server holds.
  std::uint64_t passed = 0;  // Large envelopes that arrived intact, each once.
  std::uint64_t wanted = 0;  // Large envelopes that should.

  /// The most the server ever had above its start. Zero if the run did not finish.
  [[nodiscard]] std::uint64_t peak_growth() const {
    return record.server_peak_bytes - std::min(record.server_peak_bytes, at_start.resident_bytes);
  }

  /// Bytes that the server grew by for each byte of small payload it holds; zero if it holds none.
  [[nodiscard]] double bytes_per_byte(std::size_t small_bytes) const;

  [[nodiscard]] bool flawless(const AmplificationWork& work) const {
    return record.finished() && passed == wanted && held > 0 && peak_growth() <= work.memory_bytes;
  }
};

/// REQUIRES: system.measures(Measure::kAmplification). Throws Interrupted only.
AmplificationRun run_amplification(const System& system, const AmplificationWork& work);

}  // namespace zpost::bench
