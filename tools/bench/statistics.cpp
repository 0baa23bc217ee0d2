#include "tools/bench/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace zpost::bench {

Percentiles percentiles(std::vector<std::uint64_t> samples, double unit) {
  if (samples.empty()) return {};
  std::ranges::sort(samples);
  const auto at = [&](double fraction) {
    const double rank = std::ceil(fraction * static_cast<double>(samples.size()));
    const auto index = static_cast<std::size_t>(std::max(rank, 1.0)) - 1;
    return static_cast<double>(samples[std::min(index, samples.size() - 1)]) / unit;
  };
  return {.p50 = at(0.5), .p90 = at(0.9), .p99 = at(0.99), .p999 = at(0.999), .max = at(1)};
}

std::optional<Spread> spread(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  const double median =
      values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return Spread{.median = median, .min = values.front(), .max = values.back()};
}

}  // namespace zpost::bench
