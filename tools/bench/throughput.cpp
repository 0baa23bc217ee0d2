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

void add_receivers(const System& system, const ThroughputWork& work, Stage& stage, Counts& counts) {
  for (std::uint32_t pair = 0; pair < work.pairs; ++pair) {
    const Part part{stage.server.port(), pair, work.payload_bytes};
    stage.clients.add(fmt::format("receiver {}", pair), [&, part](Gate& gate) {
      PayloadSink sink(part.pair, part.payload_bytes, counts[part.pair]);
      system.receive(part, gate, sink);
    });
  }
}

std::vector<std::size_t> add_senders(const System& system, const ThroughputWork& work, Stage& stage,
                                     Counts& counts) {
  std::vector<std::size_t> senders;
  for (std::uint32_t pair = 0; pair < work.pairs; ++pair) {
    const Part part{stage.server.port(), pair, work.payload_bytes};
    senders.push_back(stage.clients.add(fmt::format("sender {}", pair), [&, part](Gate& gate) {
      PayloadSource source(work.quota, part.pair, part.payload_bytes, counts[part.pair]);
      system.send(part, gate, source);
    }));
  }
  return senders;
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

void await_streams(Stage& stage, const std::vector<std::size_t>& senders, const Counts& counts) {
  Silence silence;
  const bool ended = wait_until(stage.deadline, kPoll, [&] {
    if (all_complete(counts)) return true;
    stage.check();
    const bool sending =
        std::ranges::any_of(senders, [&](std::size_t i) { return stage.clients.running(i); });
    return silence.lasts_too_long(sending, all_received(counts));
  });
  if (!ended) throw RunTimedOut("not all had arrived when the time was over");
}

// Receivers that miss something wait for it for ever.
void dismiss_receivers(Stage& stage, const Counts& counts) {
  for (std::size_t pair = 0; pair < counts.all().size(); ++pair) {
    const StreamCounts& stream = counts[pair];
    if (stream.intact.load() < stream.total.load()) stage.clients.kill(pair);
  }
}

void sum_up(const Counts& counts, ThroughputRun& run) {
  std::int64_t first = std::numeric_limits<std::int64_t>::max();
  std::int64_t last = 0;
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
  run.record = conduct_run(start, 2 * std::size_t{work.pairs}, work.timeout, [&](Stage& stage) {
    add_receivers(system, work, stage, counts);
    const auto senders = add_senders(system, work, stage, counts);
    stage.clients.start(std::min(stage.deadline, Clock::now() + kReadyLimit));
    await_streams(stage, senders, counts);
    dismiss_receivers(stage, counts);
  });
  sum_up(counts, run);
  return run;
}

}  // namespace zpost::bench
