// The stall run: a receiver is made to stand still (SIGSTOP) while it is sent to, beside a pair
// that goes on. What becomes of every payload, of the server's memory, and of the other pair?
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "tools/bench/pair_ledger.h"
#include "tools/bench/run.h"
#include "tools/bench/stall_times.h"
#include "tools/bench/system.h"

namespace zpost::bench {

struct StallWork {
  std::uint64_t envelopes = 1'000'000;  // For the receiver that stands still.
  std::size_t payload_bytes = 1024;     // Of both pairs.
  StallTimes times;
  std::uint64_t memory_bytes = std::uint64_t{256} << 20;  // The server's limit.
  std::chrono::duration<double> before{3};                // How long the other pair is alone.
  std::chrono::seconds timeout{180};                      // For the whole run.
};

/// What the sender of the stalled pair was told, and what its receiver knows of it.
struct ToldLedger {
  std::array<std::uint64_t, kOutcomeTableSize> outcomes = {};  // By the number of the outcome.
  std::uint64_t delivered = 0;
  std::uint64_t lost = 0;
  std::uint64_t other = 0;  // Other failures.
  std::uint64_t stray = 0;
  std::uint64_t taken_in_vain = 0;  // Arrived, but told lost: see ToldCounts.
};

/// Rates of the other pair, in payloads per second.
struct OtherPairRates {
  double before = 0;          // Alone: the stalled pair is connected and sends nothing.
  double during = 0;          // From SIGSTOP to SIGCONT.
  double rested = 0;          // Of that, while the stalled pair's sender sent nothing.
  double rested_seconds = 0;  // How long that was.

  [[nodiscard]] double ratio() const { return before == 0 ? 0 : during / before; }

  [[nodiscard]] double rested_ratio() const { return before == 0 ? 0 : rested / before; }
};

struct StallRun {
  RunRecord record;
  PairLedger stalled;
  PairLedger other;
  bool tells_outcomes = false;
  ToldLedger told;             // Empty when the system tells nothing.
  std::string receiver_error;  // Of the stalled pair, when the system cut it off.
  double stopped_seconds = 0;
  OtherPairRates rates;

  /// Neither arrived nor told to have failed.
  [[nodiscard]] std::uint64_t vanished() const;

  /// Whether every payload has exactly one fate and its sender was told the right one: what arrived
  /// and what failed are together what was sent.
  [[nodiscard]] bool balances() const;

  [[nodiscard]] bool flawless() const {
    return record.finished() && balances() && stalled.clean() && other.clean() &&
           other.arrived == other.sent;
  }
};

/// REQUIRES: system.measures(Measure::kStall). Throws Interrupted only.
StallRun run_stall(const System& system, const StallWork& work);

}  // namespace zpost::bench
