#include "tools/inspect/top_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "peer/cli/shared/units.h"

namespace zpost::inspect {
namespace {

constexpr std::size_t kCountColumns = 6;
constexpr std::size_t kSpanColumns = 7;
constexpr double kMedian = 0.5;
constexpr double kTail = 0.99;

std::uint64_t in_rate(const TopRow& row) {
  return row.in.rate();
}

std::uint64_t out_rate(const TopRow& row) {
  return row.out.rate();
}

std::uint64_t queued(const TopRow& row) {
  return row.queued;
}

std::uint64_t unacked(const TopRow& row) {
  return row.unacked;
}

std::uint64_t members(const TopRow& row) {
  return row.members;
}

std::uint64_t failures(const TopRow& row) {
  return row.failures;
}

std::uint64_t median(const TopRow& row) {
  return row.latencies.quantile(kMedian).value_or(0);
}

std::uint64_t tail(const TopRow& row) {
  return row.latencies.quantile(kTail).value_or(0);
}

constexpr TopColumn kFailed{"FAILED", "failed", kCountColumns, failures, short_count};
constexpr TopColumn kP50{"P50", "p50_ns", kSpanColumns, median, short_span};
constexpr TopColumn kP99{"P99", "p99_ns", kSpanColumns, tail, short_span};

constexpr std::array kPeerColumns{
    TopColumn{"SENT/s", "sent_rate", kCountColumns, in_rate, short_count},
    TopColumn{"TAKEN/s", "taken_rate", kCountColumns + 1, out_rate, short_count},
    TopColumn{"QUEUED", "queued", kCountColumns, queued, short_count},
    TopColumn{"UNACK", "unacked", kCountColumns, unacked, short_count},
    kFailed,
    kP50,
    kP99};

constexpr std::array kTopicColumns{
    TopColumn{"SENT/s", "published_rate", kCountColumns, in_rate, short_count},
    TopColumn{"COPIES/s", "copy_rate", kCountColumns + 2, out_rate, short_count},
    TopColumn{"QUEUES", "queues", kCountColumns, members, short_count}, kFailed};

constexpr std::array kServiceColumns{
    TopColumn{"CALLS/s", "call_rate", kCountColumns + 1, in_rate, short_count},
    TopColumn{"DONE/s", "answered_rate", kCountColumns, out_rate, short_count},
    TopColumn{"WORKERS", "workers", kCountColumns + 1, members, short_count},
    kFailed,
    kP50,
    kP99};

bool was_seen(const TopRow& row) {
  const auto some = [](const Meter& meter) {
    return std::ranges::any_of(meter.latest(Meter::kSeconds),
                               [](std::uint64_t count) { return count > 0; });
  };
  return row.failures > 0 || row.dropped > 0 || some(row.in) || some(row.out);
}

/// Three digits, and what they count.
std::string scaled(double value, std::string_view unit) {
  if (value >= 100) return fmt::format("{:.0f}{}", value, unit);
  return value >= 10 ? fmt::format("{:.1f}{}", value, unit) : fmt::format("{:.2f}{}", value, unit);
}

}  // namespace

std::span<const TopColumn> columns_of(TopTab tab) {
  switch (tab) {
    case TopTab::kPeers:
      return kPeerColumns;
    case TopTab::kTopics:
      return kTopicColumns;
    case TopTab::kServices:
      return kServiceColumns;
  }
  return {};
}

std::string_view title_of(TopTab tab) {
  switch (tab) {
    case TopTab::kPeers:
      return "Peers";
    case TopTab::kTopics:
      return "Topics";
    case TopTab::kServices:
      return "Services";
  }
  return "";
}

std::vector<const TopRow*> ordered_rows(const TopModel& model, TopTab tab, TopOrder order,
                                        bool quiet) {
  std::vector<const TopRow*> rows = model.rows(tab);
  if (!quiet) std::erase_if(rows, [](const TopRow* row) { return !was_seen(*row); });
  if (order.column > 0) {
    const TopColumn& column = columns_of(tab)[order.column - 1];
    // Each number once: percentiles take a look at a histogram.
    std::vector<std::pair<std::uint64_t, const TopRow*>> keyed;
    keyed.reserve(rows.size());
    for (const TopRow* const row : rows) keyed.emplace_back(column.number(*row), row);
    std::ranges::stable_sort(keyed, std::ranges::greater{},
                             &std::pair<std::uint64_t, const TopRow*>::first);
    std::ranges::transform(keyed, rows.begin(), [](const auto& each) { return each.second; });
  }
  if (order.reversed) std::ranges::reverse(rows);
  return rows;
}

std::string short_count(std::uint64_t count) {
  if (count < 10'000) return cli::count_text(count);
  const auto value = static_cast<double>(count);
  if (count < 999'500) return scaled(value / 1e3, "k");
  if (count < 999'500'000) return scaled(value / 1e6, "M");
  if (count < 999'500'000'000) return scaled(value / 1e9, "G");
  return scaled(value / 1e12, "T");
}

std::string short_span(std::uint64_t ns) {
  if (ns == 0) return "-";
  const auto value = static_cast<double>(ns);
  if (ns < 1'000) return fmt::format("{} ns", ns);
  if (ns < 999'500) return scaled(value / 1e3, " µs");
  if (ns < 999'500'000) return scaled(value / 1e6, " ms");
  if (ns < 120'000'000'000) return scaled(value / 1e9, " s");
  return fmt::format("{} min", ns / 60'000'000'000);
}

std::string curve(const std::vector<std::uint64_t>& values) {
  static constexpr std::array<std::string_view, 9> kSteps{" ", "▁", "▂", "▃", "▄",
                                                          "▅", "▆", "▇", "█"};
  std::uint64_t most = 0;
  for (const std::uint64_t value : values) most = std::max(most, value);
  std::string text;
  for (const std::uint64_t value : values) {
    if (value == 0) {
      text += kSteps.front();
      continue;
    }
    const double share = static_cast<double>(value) / static_cast<double>(most);
    const auto step = static_cast<std::size_t>(share * 8);
    text += kSteps.at(std::clamp<std::size_t>(step, 1, 8));
  }
  return text;
}

}  // namespace zpost::inspect
