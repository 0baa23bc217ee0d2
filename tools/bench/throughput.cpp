#include "tools/bench/throughput.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "tools/bench/arrivals.h"

namespace zpost::bench {
namespace {

// So many connect at the same time. A thousand at once would keep each other from doing so within
// their time.
constexpr std::uint32_t kCrowd = 50;

Part part_of(const ThroughputWork& work, const Stage& stage, std::uint32_t number) {
  Part part{stage.server.port(), number, work.payload_bytes, number};
  if (work.shape == Shape::kFanOut) part.pair = 0;  // All receive the one sender's stream.
  if (work.shape == Shape::kTopics) part.topics = kTopicsOfAPublisher;
  if (work.shape == Shape::kCalls) part.in_flight = kCallsInFlight;
  return part;
}

/// Adds those that wait for what the senders send, and returns who they are.
std::vector<std::size_t> add_receivers(const System& system, const ThroughputWork& work,
                                       Stage& stage, Streams& counts) {
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
    if (number % kCrowd == 0) stage.clients.await_ready(ready_deadline(stage, kCrowd));
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
                                     Streams& counts) {
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
void spread_total(const ThroughputWork& work, Streams& counts) {
  if (work.shape != Shape::kFanOut) return;
  const std::uint64_t total = counts[0].total.load();
  for (StreamCounts& each : counts.all()) each.total.store(total);
}

// Receivers that miss something wait for it for ever, and so do those that heard too late that
// there is no more.
void dismiss_receivers(const ThroughputWork& work, Stage& stage,
                       const std::vector<std::size_t>& receivers, const Streams& counts) {
  std::vector<std::size_t> waiting;
  for (std::size_t i = 0; i < receivers.size(); ++i) {
    const bool by_itself = work.shape == Shape::kPairs || work.shape == Shape::kTopics;
    const bool complete = counts[i].intact.load() >= counts[i].total.load();
    if (!by_itself || !complete) waiting.push_back(receivers[i]);
  }
  stage.clients.kill(waiting);
}

void sum_up(const ThroughputWork& work, const Streams& counts, ThroughputRun& run) {
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
  Streams counts(work.pairs);
  const auto start = [&] { return system.start(); };
  const std::size_t receiving = work.shape == Shape::kCalls ? kWorkers : work.pairs;
  const std::size_t clients = receiving + senders_of(work);
  const auto conduct = [&](Stage& stage) {
    const auto receivers = add_receivers(system, work, stage, counts);
    const auto senders = add_senders(system, work, stage, counts);
    stage.clients.start(ready_deadline(stage, clients));
    await_arrivals(stage, senders, counts, [&] { spread_total(work, counts); });
    dismiss_receivers(work, stage, receivers, counts);
  };
  run.record =
      conduct_run(start, clients, work.timeout, conduct, needs_of(system.client_cost(), clients));
  sum_up(work, counts, run);
  return run;
}

}  // namespace zpost::bench
