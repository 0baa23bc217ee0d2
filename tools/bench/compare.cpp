#include "tools/bench/compare.h"

#include <algorithm>
#include <cstddef>

namespace zpost::bench {
namespace {

using Runs = std::vector<const CompareRun*>;
using Figure = std::function<double(const CompareRun&)>;

std::variant<ThroughputRun, LatencyRun> perform(const ComparePlan& plan, const WorkItem& work,
                                                const System& system) {
  if (work.measure == Measure::kLatency) {
    return run_latency(system, {.payload_bytes = work.payload_bytes,
                                .round_trips = plan.round_trips,
                                .timeout = plan.timeout});
  }
  return run_throughput(system, {.shape = work.shape,
                                 .payload_bytes = work.payload_bytes,
                                 .pairs = work.pairs,
                                 .quota = plan.quota,
                                 .timeout = plan.timeout});
}

bool usable(const ComparePlan& plan, const CompareRun& run) {
  return run.record().finished() && !(plan.skip_noisy && run.record().noisy());
}

Runs runs_of(const System* system, const WorkItem& work, const std::vector<CompareRun>& runs) {
  Runs selected;
  for (const CompareRun& run : runs) {
    if (run.system == system && run.work == &work) selected.push_back(&run);
  }
  return selected;
}

std::optional<Spread> spread_of(const Runs& runs, const Figure& figure) {
  std::vector<double> values;
  for (const CompareRun* run : runs) values.push_back(figure(*run));
  return spread(std::move(values));
}

std::optional<Spread> ratio_of(const Runs& runs, const Runs& references, const Figure& figure) {
  std::vector<double> ratios;
  for (const CompareRun* run : runs) {
    const auto same_round = std::ranges::find(references, run->round, &CompareRun::round);
    if (same_round == references.end() || figure(**same_round) <= 0) continue;
    ratios.push_back(figure(*run) / figure(**same_round));
  }
  return spread(std::move(ratios));
}

double per_second(const CompareRun& run) {
  return std::get<ThroughputRun>(run.result).per_second;
}

// A figure of the percentiles of a latency run.
Figure percentile(double Percentiles::*member) {
  return [member](const CompareRun& run) {
    return std::get<LatencyRun>(run.result).microseconds.*member;
  };
}

double server_cpu_us(const CompareRun& run) {
  if (const auto* throughput = std::get_if<ThroughputRun>(&run.result)) {
    return throughput->server_cpu_us_per_message();
  }
  const auto& latency = std::get<LatencyRun>(run.result);
  return latency.record.server_cpu_seconds * 1e6 / static_cast<double>(latency.finished);
}

double server_peak_bytes(const CompareRun& run) {
  return static_cast<double>(run.record().server_peak_bytes);
}

void add_losses(const CompareRun& run, CompareRow& row) {
  if (const auto* throughput = std::get_if<ThroughputRun>(&run.result)) {
    row.lost += throughput->lost();
    row.duplicated += throughput->duplicated;
    row.reordered += throughput->reordered;
    row.corrupt += throughput->corrupt;
  } else {
    row.corrupt += std::get<LatencyRun>(run.result).corrupt;
  }
}

void add_medians(Measure measure, const Runs& runs, const Runs& references, CompareRow& row) {
  row.server_cpu_us = spread_of(runs, server_cpu_us);
  row.server_peak_bytes = spread_of(runs, server_peak_bytes);
  if (measure != Measure::kLatency) {
    row.per_second = spread_of(runs, per_second);
    row.ratio = ratio_of(runs, references, per_second);
    return;
  }
  row.p50_us = spread_of(runs, percentile(&Percentiles::p50));
  row.p99_us = spread_of(runs, percentile(&Percentiles::p99));
  row.p999_us = spread_of(runs, percentile(&Percentiles::p999));
  row.ratio = ratio_of(runs, references, percentile(&Percentiles::p50));
  row.p99_ratio = ratio_of(runs, references, percentile(&Percentiles::p99));
}

}  // namespace

const RunRecord& CompareRun::record() const {
  return std::visit([](const auto& run) -> const RunRecord& { return run.record; }, result);
}

bool CompareRun::flawless() const {
  return std::visit([](const auto& run) { return run.flawless(); }, result);
}

std::vector<CompareRun> compare(const ComparePlan& plan, const CompareObserver& observer) {
  std::vector<CompareRun> runs;
  for (std::uint32_t round = 1; round <= plan.rounds; ++round) {
    for (const WorkItem& work : plan.work) {
      for (std::size_t i = 0; i < plan.systems.size(); ++i) {
        const System* const system = plan.systems[(i + round - 1) % plan.systems.size()];
        if (!system->measures(work.measure)) continue;
        observer.before(round, work, *system);
        runs.push_back({round, &work, system, perform(plan, work, *system)});
        observer.after(runs.back());
      }
    }
  }
  return runs;
}

std::vector<CompareRow> summarize(const ComparePlan& plan, const WorkItem& work,
                                  const std::vector<CompareRun>& runs) {
  const auto drop_unusable = [&](Runs& all) {
    std::erase_if(all, [&](const CompareRun* run) { return !usable(plan, *run); });
  };
  Runs references = runs_of(plan.reference, work, runs);
  drop_unusable(references);

  std::vector<CompareRow> rows;
  for (const System* system : plan.systems) {
    Runs own = runs_of(system, work, runs);
    if (own.empty()) continue;
    CompareRow row;
    row.system = system;
    row.runs = static_cast<std::uint32_t>(own.size());
    for (const CompareRun* run : own) {
      add_losses(*run, row);
      row.noisy += run->record().noisy() ? 1 : 0;
    }
    drop_unusable(own);
    row.usable = static_cast<std::uint32_t>(own.size());
    add_medians(work.measure, own, references, row);
    rows.push_back(row);
  }
  return rows;
}

}  // namespace zpost::bench
