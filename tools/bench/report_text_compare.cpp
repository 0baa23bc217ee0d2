#include <fmt/core.h>

#include <string_view>

#include "tools/bench/aim.h"
#include "tools/bench/report_text.h"
#include "tools/bench/words.h"

namespace zpost::bench::text {
namespace {

// An empty cell for what could not be measured.
template <typename Print>
std::string cell(const std::optional<Spread>& spread, Print print) {
  return spread ? print(*spread) : "-";
}

std::string rate_cell(const std::optional<Spread>& rate) {
  return cell(rate, [](const Spread& s) {
    return fmt::format("{} ({}-{})", short_number(s.median), short_number(s.min),
                       short_number(s.max));
  });
}

std::string time_cell(const std::optional<Spread>& time) {
  return cell(time, [](const Spread& s) {
    return fmt::format("{:.0f} ({:.0f}-{:.0f})", s.median, s.min, s.max);
  });
}

std::string ratio_cell(const std::optional<Spread>& ratio) {
  return cell(ratio, [](const Spread& s) {
    return fmt::format("{:.2f}x ({:.2f}-{:.2f})", s.median, s.min, s.max);
  });
}

// "5x missed": by the median, as the ratio beside it.
std::string aim_cell(const std::optional<Aim>& aim, const std::optional<Spread>& ratio) {
  if (!aim) return "";
  std::string text = fmt::format("{}{:g}x", aim->lower_is_better ? "<" : "", aim->ratio);
  if (!ratio) return text;
  return text += aim->met_by(ratio->median) ? " met" : " missed";
}

std::string median_cell(const std::optional<Spread>& spread, double unit, int decimals) {
  return cell(spread,
              [&](const Spread& s) { return fmt::format("{:.{}f}", s.median / unit, decimals); });
}

std::string megabytes_cell(const std::optional<Spread>& rate, std::size_t payload_bytes) {
  return median_cell(rate, 1e6 / static_cast<double>(payload_bytes), 0);
}

std::string runs_cell(const CompareRow& row) {
  std::string text = fmt::format("{}/{}", row.usable, row.runs);
  if (row.noisy > 0) text += fmt::format(", {} noisy", row.noisy);
  return text;
}

constexpr std::string_view kThroughputLine =
    "  {:<16} {:<22} {:<19} {:<11} {:>6} {:>7} {:>8}  {:<8} {}\n";
constexpr std::string_view kLatencyLine =
    "  {:<16} {:<16} {:<18} {:<20} {:<19} {:<12} {:<19} {:>6}  {}\n";

std::string throughput_row(const WorkItem& work, const CompareRow& row, const std::string& aim) {
  return fmt::format(kThroughputLine, row.system->name(), rate_cell(row.per_second),
                     ratio_cell(row.ratio), aim, megabytes_cell(row.per_second, work.payload_bytes),
                     median_cell(row.server_cpu_us, 1, 2),
                     median_cell(row.server_peak_bytes, kMiB, 1),
                     losses(row.lost, row.duplicated, row.reordered, row.corrupt), runs_cell(row));
}

std::string latency_row(const CompareRow& row, const std::string& aim) {
  return fmt::format(kLatencyLine, row.system->name(), time_cell(row.p50_us), time_cell(row.p99_us),
                     time_cell(row.p999_us), ratio_cell(row.ratio), aim, ratio_cell(row.p99_ratio),
                     median_cell(row.server_cpu_us, 1, 1), runs_cell(row));
}

// What is counted: in a fan-out each message is many deliveries.
const char* rate_of(Shape shape) {
  switch (shape) {
    case Shape::kPairs:
    case Shape::kTopics:
      return "messages/s";
    case Shape::kFanOut:
      return "deliveries/s";
    case Shape::kCalls:
      return "calls/s";
  }
  return "";
}

std::string parties_of(const WorkItem& work) {
  switch (work.shape) {
    case Shape::kPairs:
      return count_of(work.pairs, "pair");
    case Shape::kFanOut:
      return "1 publisher to " + count_of(work.pairs, "subscriber");
    case Shape::kTopics:
      return fmt::format("{} on {} topics each", count_of(work.pairs, "publisher"),
                         kTopicsOfAPublisher);
    case Shape::kCalls:
      return fmt::format("{} with {} calls in flight each", count_of(work.pairs, "caller"),
                         kCallsInFlight);
  }
  return "";
}

std::string table_head(const WorkItem& work) {
  if (work.measure == Measure::kLatency) {
    return fmt::format(kLatencyLine, "system", "p50 us", "p99 us", "p99.9 us", "ratio of p50",
                       "aim", "ratio of p99", "CPU us", "runs");
  }
  return fmt::format(kThroughputLine, "system", rate_of(work.shape), "ratio", "aim", "MB/s",
                     "CPU us", "peak MiB", "losses", "runs");
}

}  // namespace

std::string compare_run(const CompareRun& run) {
  if (run.flawless()) return "";
  std::string what = run.record().failure;
  if (const auto* throughput = std::get_if<ThroughputRun>(&run.result)) {
    what += fmt::format("{}losses: {}", what.empty() ? "" : "; ",
                        losses(throughput->lost(), throughput->duplicated, throughput->reordered,
                               throughput->corrupt));
  }
  return fmt::format("round {}, {}, {}: {}\n", run.round, run.work->name, run.system->name(), what);
}

std::string compare_table(Table table) {
  return table == Table::kPairs ? "\n=== Pairs and round trips ===\n"
                                : "\n=== Topics and services ===\n";
}

std::string compare_rows(const ComparePlan& plan, const WorkItem& work,
                         const std::vector<CompareRow>& rows) {
  if (rows.empty()) return "";
  std::string text =
      work.measure == Measure::kLatency
          ? fmt::format("\n{}: round trips of {}", work.name, short_size(work.payload_bytes))
          : fmt::format("\n{}: {} payloads, {}", work.name, short_size(work.payload_bytes),
                        parties_of(work));
  text += fmt::format("; medians (min-max) of {}, ratios to {}\n", count_of(plan.rounds, "round"),
                      plan.reference->name());
  text += table_head(work);
  for (const CompareRow& row : rows) {
    const std::string aim =
        aim_cell(aim_of(work.name, row.system->name(), plan.reference->name()), row.ratio);
    text +=
        work.measure == Measure::kLatency ? latency_row(row, aim) : throughput_row(work, row, aim);
  }
  return text;
}

}  // namespace zpost::bench::text
