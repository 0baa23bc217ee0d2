// The fairness run: what a flood from one peer does to the round trips of quiet ones, against the
// same load from many.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "tools/bench/pair_ledger.h"
#include "tools/bench/run.h"
#include "tools/bench/statistics.h"
#include "tools/bench/system.h"

namespace zpost::bench {

struct FairnessWork {
  std::uint32_t quiet = 4;  // Peers that make round trips, each with one who answers it.
  double quiet_rate = 100;  // Round trips a second of each, one at a time.
  std::size_t quiet_bytes = 64;
  std::uint32_t senders = 8;              // Of the even load. Both loads go to as many receivers.
  std::size_t load_bytes = 64;            // Each payload of both loads.
  double offered = 0;                     // Payloads a second of the flood; 0: as many as it may.
  std::chrono::duration<double> time{2};  // Measured of each phase.
  std::uint32_t rounds = 3;
  std::chrono::seconds timeout{60};  // Of each phase.
};

/// What goes on beside the quiet peers: nothing; one sender, as fast as it may or as `offered`
/// says; many senders that offer together what that one achieved.
enum class Phase : std::uint8_t { kIdle, kFlood, kEven };

inline constexpr Phase kPhases[] = {Phase::kIdle, Phase::kFlood, Phase::kEven};

const char* word_for(Phase phase);

struct PhaseRun {
  RunRecord record;
  Percentiles microseconds;       // Of the quiet peers' round trips.
  std::uint64_t round_trips = 0;  // Measured ones.
  std::uint64_t corrupt = 0;      // Round trips that brought something else back.
  double offered = 0;             // Payloads a second that senders kept to; 0: no pace.
  double per_second = 0;          // Payloads of the load that arrived meanwhile.
  PairLedger load;

  [[nodiscard]] bool flawless() const {
    return record.finished() && corrupt == 0 && load.clean() && load.lost() == 0;
  }
};

struct FairnessRound {
  PhaseRun idle;
  PhaseRun flood;
  PhaseRun even;

  [[nodiscard]] PhaseRun& of(Phase phase);
  [[nodiscard]] const PhaseRun& of(Phase phase) const;

  [[nodiscard]] bool finished() const {
    return idle.record.finished() && flood.record.finished() && even.record.finished();
  }

  /// The quiet peers' p99 beside the flood to that beside the even load. Nothing if a run did not
  /// finish.
  [[nodiscard]] std::optional<double> p99_ratio() const;

  /// What of the flood's rate the even load reached. Well below 1 the machine could not carry it
  /// from so many senders, and the ratio of p99 compares with a busier machine. Nothing as above.
  [[nodiscard]] std::optional<double> load_ratio() const;
};

struct FairnessRun {
  std::vector<FairnessRound> rounds;

  /// Over the rounds that have one.
  [[nodiscard]] std::optional<Spread> p99_ratio() const;
  [[nodiscard]] std::optional<Spread> load_ratio() const;

  /// Whether the median ratio of p99 is more than `most`. False where there is no ratio.
  [[nodiscard]] bool exceeds(double most) const;

  [[nodiscard]] bool flawless() const;
};

/// Told before each phase.
using FairnessObserver = std::function<void(std::uint32_t round, Phase phase)>;

/// REQUIRES: system.measures(Measure::kFairness). Each phase has a fresh server. A round ends with
/// its first phase that does not finish. Throws Interrupted only.
FairnessRun run_fairness(const System& system, const FairnessWork& work,
                         const FairnessObserver& before);

}  // namespace zpost::bench
