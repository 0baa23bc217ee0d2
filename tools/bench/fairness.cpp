#include "tools/bench/fairness.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "tools/bench/arrivals.h"
#include "tools/bench/failure.h"
#include "tools/bench/shared_memory.h"

namespace zpost::bench {
namespace {

using namespace std::chrono_literals;
using Seconds = std::chrono::duration<double>;

constexpr auto kFairnessPoll = 2ms;
constexpr Seconds kQuietWarmUp{0.5};
constexpr double kTripsPatience = 3;  // Times of what the round trips should take, and
constexpr Seconds kGrace{5};          // so much: a phase ends with what it has then.

std::uint64_t trips_in(Seconds time, double rate) {
  return static_cast<std::uint64_t>(std::max(1.0, std::ceil(time.count() * rate)));
}

/// What the processes of a phase share.
struct FairnessShared {
  explicit FairnessShared(const FairnessWork& work)
      : warmup(trips_in(kQuietWarmUp, work.quiet_rate)),
        measured(trips_in(work.time, work.quiet_rate)),
        trips(work.quiet),
        samples(work.quiet * measured),
        streams(work.senders) {}

  [[nodiscard]] std::span<std::uint64_t> samples_of(std::uint32_t quiet) {
    return samples.all().subspan(quiet * measured, measured);
  }

  [[nodiscard]] bool all_made(std::uint64_t count) const {
    return std::ranges::all_of(trips.all(), [count](const RoundTripCounts& counts) {
      return counts.finished.load(std::memory_order_acquire) >= count;
    });
  }

  const std::uint64_t warmup;    // Round trips of each quiet peer.
  const std::uint64_t measured;  // The same, after those.
  SharedArray<RoundTripCounts> trips;
  SharedArray<std::uint64_t> samples;  // Nanoseconds, one quiet peer after the other.
  Streams streams;                     // By the number of the receiver.
};

/// The clients of a phase, and what it does with them.
class PhaseStage {
 public:
  PhaseStage(const System& system, const FairnessWork& work, Stage& stage, FairnessShared& shared)
      : system_(system), work_(work), stage_(stage), shared_(shared) {}

  void add_quiet_peers() {
    for (std::uint32_t number = 0; number < work_.quiet; ++number) {
      const Part part = part_of(number, work_.quiet_bytes);
      quiet_.push_back(stage_.clients.add(fmt::format("echoer {}", number),
                                          [this, part](Gate& gate) { system_.echo(part, gate); }));
      quiet_.push_back(
          stage_.clients.add(fmt::format("quiet peer {}", number), [this, part](Gate& gate) {
            RoundTrips trips(part.payload_bytes, shared_.warmup, shared_.samples_of(part.pair),
                             shared_.trips[part.pair]);
            trips.keep_to(work_.quiet_rate);
            system_.ping(part, gate, trips);
          }));
    }
  }

  void add_receivers() {
    for (std::uint32_t number = 0; number < work_.senders; ++number) {
      const Part part = part_of(number, work_.load_bytes);
      receivers_.push_back(
          stage_.clients.add(fmt::format("receiver {}", number), [this, part](Gate& gate) {
            PayloadSink sink(part.pair, part.payload_bytes, shared_.streams[part.pair]);
            system_.receive(part, gate, sink);
          }));
    }
  }

  void add_flooder() {
    const Part part = part_of(0, work_.load_bytes);
    senders_.push_back(stage_.clients.add("flooder", [this, part](Gate& gate) {
      std::vector<PayloadSource> sources;
      for (std::uint32_t to = 0; to < work_.senders; ++to) {
        sources.emplace_back(load_quota(work_.offered), to, part.payload_bytes,
                             shared_.streams[to]);
      }
      system_.flood(part, gate, sources);
    }));
  }

  void add_even_senders(double per_second) {
    for (std::uint32_t number = 0; number < work_.senders; ++number) {
      const Part part = part_of(number, work_.load_bytes);
      senders_.push_back(stage_.clients.add(
          fmt::format("sender {}", number), [this, part, per_second](Gate& gate) {
            PayloadSource source(load_quota(per_second), part.pair, part.payload_bytes,
                                 shared_.streams[part.pair]);
            system_.send(part, gate, source);
          }));
    }
  }

  /// Returns how many payloads of the load arrived a second while round trips were measured.
  double measure() {
    stage_.clients.start(ready_deadline(stage_, 2 * std::size_t{work_.quiet + work_.senders}));
    const auto end =
        std::min(stage_.deadline, Clock::now() + std::chrono::ceil<Clock::duration>(longest()));
    await_trips(shared_.warmup, end);
    const auto begun = Clock::now();
    const std::uint64_t before = all_received(shared_.streams);
    await_trips(shared_.warmup + shared_.measured, end);
    const Seconds took = Clock::now() - begun;
    return static_cast<double>(all_received(shared_.streams) - before) / took.count();
  }

  void end() {
    for (const std::size_t client : quiet_) stage_.clients.kill(client);
    for (StreamCounts& stream : shared_.streams.all()) stream.enough = true;
    if (senders_.empty()) return;
    await_arrivals(stage_, senders_, shared_.streams, [] {});
    for (std::size_t i = 0; i < receivers_.size(); ++i) {
      const StreamCounts& stream = shared_.streams[i];
      if (stream.intact.load() < stream.total.load()) stage_.clients.kill(receivers_[i]);
    }
  }

 private:
  [[nodiscard]] Part part_of(std::uint32_t pair, std::size_t bytes) const {
    return {stage_.server.port(), pair, bytes};
  }

  [[nodiscard]] Seconds longest() const {
    return (kQuietWarmUp + work_.time) * kTripsPatience + kGrace;
  }

  /// Of one receiver's stream, where all are to be offered `per_second` together; 0: as many as may
  /// be. The load ends when the round trips are made. It would end by itself as well.
  [[nodiscard]] Quota load_quota(double per_second) const {
    Quota quota{.duration = std::chrono::ceil<std::chrono::nanoseconds>(longest())};
    quota.per_second = per_second / work_.senders;
    return quota;
  }

  void await_trips(std::uint64_t count, Clock::time_point end) {
    // Whether all are made or the time is over: what there is counts.
    (void)wait_until(end, kFairnessPoll, [&] {
      stage_.check();
      return shared_.all_made(count);
    });
  }

  const System& system_;
  const FairnessWork& work_;
  Stage& stage_;
  FairnessShared& shared_;
  std::vector<std::size_t> quiet_;
  std::vector<std::size_t> receivers_;
  std::vector<std::size_t> senders_;
};

// The measured samples that the quiet peers got done.
std::vector<std::uint64_t> samples_of(FairnessShared& shared, std::uint32_t quiet) {
  std::vector<std::uint64_t> all;
  for (std::uint32_t number = 0; number < quiet; ++number) {
    const std::uint64_t finished = shared.trips[number].finished.load(std::memory_order_acquire);
    const auto done = shared.samples_of(number).first(finished - std::min(finished, shared.warmup));
    all.insert(all.end(), done.begin(), done.end());
  }
  return all;
}

void sum_up(FairnessShared& shared, std::uint32_t quiet, PhaseRun& run) {
  auto samples = samples_of(shared, quiet);
  run.round_trips = samples.size();
  run.microseconds = percentiles(std::move(samples), 1e3);
  for (const RoundTripCounts& counts : shared.trips.all()) run.corrupt += counts.corrupt.load();
  for (const StreamCounts& counts : shared.streams.all()) run.load += ledger_of(counts);
}

PhaseRun run_phase(const System& system, const FairnessWork& work, Phase phase, double per_second) {
  PhaseRun run;
  FairnessShared shared(work);
  const std::size_t clients = 2 * std::size_t{work.quiet} + 2 * std::size_t{work.senders};
  const auto start = [&] { return system.start(); };
  run.record = conduct_run(start, clients, work.timeout, [&](Stage& stage) {
    PhaseStage peers(system, work, stage, shared);
    peers.add_quiet_peers();
    if (phase != Phase::kIdle) peers.add_receivers();
    if (phase == Phase::kFlood) peers.add_flooder();
    if (phase == Phase::kEven) peers.add_even_senders(per_second);
    run.per_second = peers.measure();
    peers.end();
  });
  if (phase != Phase::kIdle) run.offered = phase == Phase::kEven ? per_second : work.offered;
  sum_up(shared, work.quiet, run);
  if (run.record.finished() && run.round_trips == 0) {
    run.record.end = RunEnd::kTimedOut;
    run.record.failure = "no round trip of a quiet peer came to an end";
  }
  return run;
}

}  // namespace

FairnessRun run_fairness(const System& system, const FairnessWork& work,
                         const FairnessObserver& before) {
  FairnessRun run;
  for (std::uint32_t number = 1; number <= work.rounds; ++number) {
    FairnessRound& round = run.rounds.emplace_back();
    for (const Phase phase : kPhases) {
      before(number, phase);
      round.of(phase) = run_phase(system, work, phase, round.flood.per_second);
      if (!round.of(phase).record.finished()) return run;
    }
  }
  return run;
}

}  // namespace zpost::bench
