// The same work on several systems, interleaved, so that all meet the same weather.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <variant>
#include <vector>

#include "tools/bench/latency.h"
#include "tools/bench/statistics.h"
#include "tools/bench/stream.h"
#include "tools/bench/system.h"
#include "tools/bench/throughput.h"
#include "tools/bench/work_item.h"

namespace zpost::bench {

struct ComparePlan {
  std::vector<WorkItem> work;
  std::vector<const System*> systems;
  const System* reference = nullptr;  // One of `systems`; ratios are relative to it.
  std::uint32_t rounds = 3;
  Quota quota;  // Of each sender in each throughput run.
  std::uint64_t round_trips = 5'000;
  std::chrono::seconds timeout{60};  // Of each run.
  bool skip_noisy = false;           // Leave noisy runs out of all medians.
};

/// One raw run. The pointers refer to the plan.
struct CompareRun {
  std::uint32_t round = 0;  // From 1.
  const WorkItem* work = nullptr;
  const System* system = nullptr;
  std::variant<ThroughputRun, LatencyRun> result;

  [[nodiscard]] const RunRecord& record() const;
  [[nodiscard]] bool flawless() const;
};

/// Told before each run and after it.
struct CompareObserver {
  std::function<void(std::uint32_t round, const WorkItem&, const System&)> before;
  std::function<void(const CompareRun&)> after;
};

/// In each round, for each work item, runs each system that can do it once. The order of the
/// systems rotates from round to round. Throws Interrupted only.
std::vector<CompareRun> compare(const ComparePlan& plan, const CompareObserver& observer);

/// What all runs of one system on one work item say together. Medians are over usable runs:
/// finished ones, without the noisy ones if the plan says so. A ratio is that of two runs of the
/// same round. Losses are summed over all runs, usable or not.
struct CompareRow {
  const System* system = nullptr;
  std::uint32_t runs = 0;
  std::uint32_t usable = 0;
  std::uint32_t noisy = 0;
  std::optional<Spread> per_second;  // Throughput only.
  std::optional<Spread> p50_us;      // Latency only, as the next two.
  std::optional<Spread> p99_us;
  std::optional<Spread> p999_us;
  std::optional<Spread> ratio;          // Of per_second, or of p50_us.
  std::optional<Spread> p99_ratio;      // Latency only.
  std::optional<Spread> server_cpu_us;  // Per message or round trip.
  std::optional<Spread> server_peak_bytes;
  std::uint64_t lost = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;
  std::uint64_t corrupt = 0;
};

/// One row for each system that ran `work`, in the order of the plan.
std::vector<CompareRow> summarize(const ComparePlan& plan, const WorkItem& work,
                                  const std::vector<CompareRun>& runs);

}  // namespace zpost::bench
