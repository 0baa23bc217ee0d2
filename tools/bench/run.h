// One run on one system: starts the server, lets a caller conduct the clients, takes everything
// down again, and records how it ended and what it cost.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "tools/bench/clients.h"
#include "tools/bench/interrupt.h"
#include "tools/bench/machine_limits.h"
#include "tools/bench/system.h"

namespace zpost::bench {

/// Other processes used more than this many cores: the run is marked as noisy.
inline constexpr double kNoisyCores = 0.2;

enum class RunEnd { kFinished, kTimedOut, kFailed };

/// What all kinds of runs have in common.
struct RunRecord {
  RunEnd end = RunEnd::kFinished;
  std::string failure;                  // One line; empty for kFinished.
  double server_cpu_seconds = 0;        // From the first client to the last arrival.
  std::uint64_t server_peak_bytes = 0;  // Highest resident memory of the server.
  double other_cores = 0;               // Cores that processes outside the run used meanwhile.

  [[nodiscard]] bool finished() const { return end == RunEnd::kFinished; }

  [[nodiscard]] bool noisy() const { return other_cores > kNoisyCores; }
};

/// What the conductor of a run works with.
struct Stage {
  Server& server;
  Clients& clients;
  Clock::time_point deadline;  // Of the whole run.

  /// Throws RunFailure if a client has failed or the server has ended.
  void check() const;
};

/// When clients that are started together, so many, must be ready.
Clock::time_point ready_deadline(const Stage& stage, std::size_t clients);

/// What so many clients, each of which has a process of its own, need, and the server with them.
Needs needs_of(const ClientCost& cost, std::size_t clients);

/// Starts the server of a run, as System::start() does.
using StartServer = std::function<Server()>;

/// Conducts a run on a fresh server, or fails at once, naming the limit, when the machine does not
/// allow what it needs. Open files are allowed as many as can be. `conduct` adds at most
/// `max_clients` clients and returns when the work is done; it throws RunFailure or RunTimedOut to
/// end the run early. Then all clients must end by themselves within a few seconds, or the run has
/// failed. Whatever happens, no process of the run is left. Throws nothing but Interrupted.
RunRecord conduct_run(const StartServer& start_server, std::size_t max_clients,
                      std::chrono::seconds timeout, const std::function<void(Stage&)>& conduct,
                      const Needs& needs = {});

}  // namespace zpost::bench
