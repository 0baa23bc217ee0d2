#include "tools/bench/latency.h"

#include <fmt/core.h>

#include <algorithm>

#include "tools/bench/failure.h"
#include "tools/bench/shared_memory.h"

namespace zpost::bench {
namespace {

using namespace std::chrono_literals;

constexpr auto kLatencyReadyLimit = 10s;
constexpr auto kLatencyPoll = 5ms;

}  // namespace

LatencyRun run_latency(const System& system, const LatencyWork& work) {
  LatencyRun run;
  SharedArray<RoundTripCounts> counts(1);
  SharedArray<std::uint64_t> samples(work.round_trips);
  const std::uint64_t wanted = work.warmup + work.round_trips;

  const auto start = [&] { return system.start(); };
  run.record = conduct_run(start, 2, work.timeout, [&](Stage& stage) {
    const Part part{stage.server.port(), 0, work.payload_bytes};
    const std::size_t echoer =
        stage.clients.add("echoer", [&](Gate& gate) { system.echo(part, gate); });
    stage.clients.add("pinger", [&](Gate& gate) {
      RoundTrips trips(work.payload_bytes, work.warmup, samples.all(), counts[0]);
      system.ping(part, gate, trips);
    });
    stage.clients.start(std::min(stage.deadline, Clock::now() + kLatencyReadyLimit));
    const bool done = wait_until(stage.deadline, kLatencyPoll, [&] {
      stage.check();
      return counts[0].finished.load(std::memory_order_acquire) == wanted;
    });
    stage.clients.kill(echoer);
    if (!done)
      throw RunTimedOut(fmt::format("{} of {} returned", counts[0].finished.load(), wanted));
  });

  run.finished = counts[0].finished.load();
  run.corrupt = counts[0].corrupt.load();
  if (run.record.finished()) {
    run.microseconds = percentiles({samples.all().begin(), samples.all().end()}, 1e3);
  }
  return run;
}

}  // namespace zpost::bench
