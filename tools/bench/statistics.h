// Percentiles of many samples and medians of few.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace zpost::bench {

struct Percentiles {
  double p50 = 0;
  double p90 = 0;
  double p99 = 0;
  double p999 = 0;
  double max = 0;
};

/// Nearest-rank percentiles, in the unit of the samples divided by `unit`; zeros without samples.
Percentiles percentiles(std::vector<std::uint64_t> samples, double unit);

struct Spread {
  double median = 0;
  double min = 0;
  double max = 0;
};

/// Nothing without values. The median of an even number is the mean of the middle two.
std::optional<Spread> spread(std::vector<double> values);

}  // namespace zpost::bench
