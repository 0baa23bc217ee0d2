#include "tools/bench/throughput.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <span>
#include <vector>

#include "tools/bench/failure.h"
#include "tools/bench/shared_memory.h"

namespace zpost::bench {
namespace {

using namespace std::chrono_literals;

constexpr auto kReadyLimit = 10s;
constexpr auto kPoll = 2ms;
constexpr auto kSilence = 3s;  // After the last sender has ended: what is missing is lost.

using Counts = SharedArray<StreamCounts>;

std::uint64_t all_received(const Counts& counts) {
  std::uint64_t sum = 0;
  for (const StreamCounts& pair : counts.all()) sum += pair.intact.load();
  return sum;
}

bool all_complete(const Counts& counts) {
  return std::ranges::all_of(counts.all(), [](const StreamCounts& pair) {
    return pair.intact.load() >= pair.total.load();
  });
}

Part part_of(const ThroughputWork& work, const Stage& stage, std::uint32_t number) {
  Part part{stage.server.port(), number, work.payload_bytes, number};
  if (work.shape == Shape::kFanOut) part.pair = 0;  // All receive the one sender's stream.
  if (work.shape == Shape::kTopics) part.topics = kTopicsOfAPublisher;
  if (work.shape == Shape::kCalls) part.in_flight = kCallsInFlight;
  return part;
}

/// Adds those that wait for what the senders send, and returns who they are.
std::vector<std::size_t> add_receivers(const System& system, const ThroughputWork& work,
                                       Stage& stage, Counts& counts) {
  std::vector<std::size_t> receivers;
  if (work.shape == Shape::kCalls) {
    for (std::uint32_t number = 0; number < kWorkers; ++number) {
      receivers.push_back(stage.clients.add(
          fmt::format("worker {}", number),
          [&, part = part_of(work, stage, number)](Gate& gate) { system.work(part, gate); }));
    }
    return receivers;
  }
  for (std::uint32_t number = 0; number < work.pairs; ++number) {
    const Part part = part_of(work, stage, number);
    receivers.push_back(
        stage.clients.add(fmt::format("receiver {}", number), [&, part, number](Gate& gate) {
          PayloadSink sink(part.pair, part.payload_bytes, counts[number]);
          if (work.shape == Shape::kPairs) return system.receive(part, gate, sink);
          system.subscribe(part, gate, sink);
        }));
  }
  return receivers;
}

void run_sender(const System& system, const ThroughputWork& work, const Part& part, Gate& gate,
                StreamCounts& counts) {
  PayloadSource source(work.quota, part.pair, part.payload_bytes, counts);
  if (work.shape == Shape::kPairs) return system.send(part, gate, source);
  if (work.shape != Shape::kCalls) return system.publish(part, gate, source);
  PayloadSink sink(part.pair, part.payload_bytes, counts, Order::kFree);
  system.call(part, gate, source, sink);
}

std::uint32_t senders_of(const ThroughputWork& work) {
  return work.shape == Shape::kFanOut ? 1 : work.pairs;
}

std::vector<std::size_t> add_senders(const System& system, const ThroughputWork& work, Stage& stage,
                                     Counts& counts) {
  std::vector<std::size_t> senders;
  for (std::uint32_t number = 0; number < senders_of(work); ++number) {
    const Part part = part_of(work, stage, number);
    senders.push_back(stage.clients.add(fmt::format("sender {}", number), [&, part](Gate& gate) {
      run_sender(system, work, part, gate, counts[part.pair]);
    }));
  }
  return senders;
}

/// Of a fan-out the one sender tells only its own counts how much there is.
void spread_total(const ThroughputWork& work, Counts& counts) {
  if (work.shape != Shape::kFanOut) return;
  const std::uint64_t total = counts[0].total.load();
  for (StreamCounts& each : counts.all()) each.total.store(total);
}

// Tells when it is no use to wait any longer for what is missing.
class Silence {
 public:
  [[nodiscard]] bool lasts_too_long(bool senders_running, std::uint64_t received) {
    const Clock::time_point now = Clock::now();
    if (senders_running || received != received_) {
      received_ = received;
      since_ = now;
    }
    return now - since_ > kSilence;
  }

 private:
  std::uint64_t received_ = 0;
  Clock::time_point since_ = Clock::now();
};

void await_streams(const ThroughputWork& work, Stage& stage,
                   const std::vector<std::size_t>& senders, Counts& counts) {
  Silence silence;
  const bool ended = wait_until(stage.deadline, kPoll, [&] {
    spread_total(work, counts);
    if (all_complete(counts)) return true;
    stage.check();
    const bool sending =
        std::ranges::any_of(senders, [&](std::size_t i) { return stage.clients.running(i); });
    return silence.lasts_too_long(sending, all_received(counts));
  });
  if (!ended) throw RunTimedOut("not all had arrived when the time was over");
}

// Receivers that miss something wait for it for ever, and so do those that heard too late that
// there is no more.
void dismiss_receivers(const ThroughputWork& work, Stage& stage,
                       const std::vector<std::size_t>& receivers, const Counts& counts) {
  for (std::size_t i = 0; i < receivers.size(); ++i) {
    const bool by_itself = work.shape == Shape::kPairs || work.shape == Shape::kTopics;
    const bool complete = counts[i].intact.load() >= counts[i].total.load();
    if (!by_itself || !complete) stage.clients.kill(receivers[i]);
  }
}

void sum_up(const ThroughputWork& work, const Counts& counts, ThroughputRun& run) {
  std::int64_t first = std::numeric_limits<std::int64_t>::max();
  std::int64_t last = 0;
  if (work.shape == Shape::kFanOut) run.sent = counts[0].drawn.load() * (work.pairs - 1);
  for (const StreamCounts& pair : counts.all()) {
    run.sent += pair.drawn.load();
    run.received += pair.intact.load();
    run.duplicated += pair.duplicated.load();
    run.reordered += pair.reordered.load();
    run.corrupt += pair.corrupt.load();
    if (pair.intact.load() == 0) continue;
    first = std::min(first, pair.first_arrival.load());
    last = std::max(last, pair.last_arrival.load());
  }
  if (last <= first) return;
  run.seconds = static_cast<double>(last - first) / 1e9;
  const auto intervals =
      static_cast<double>(run.received) - static_cast<double>(counts.all().size());
  run.per_second = std::max(intervals, 0.0) / run.seconds;
}

}  // namespace

ThroughputRun run_throughput(const System& system, const ThroughputWork& work) {
  ThroughputRun run;
  Counts counts(work.pairs);
  const auto start = [&] { return system.start(); };
  const std::size_t receiving = work.shape == Shape::kCalls ? kWorkers : work.pairs;
  run.record = conduct_run(start, receiving + senders_of(work), work.timeout, [&](Stage& stage) {
    const auto receivers = add_receivers(system, work, stage, counts);
    const auto senders = add_senders(system, work, stage, counts);
    stage.clients.start(std::min(stage.deadline, Clock::now() + kReadyLimit));
    await_streams(work, stage, senders, counts);
    dismiss_receivers(work, stage, receivers, counts);
  });
  sum_up(work, counts, run);
  return run;
}

}  // namespace zpost::bench
