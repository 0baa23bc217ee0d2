// The metrics, by name. docs/metrics.md lists them.
#pragma once

#include <prometheus/metric_family.h>

#include <string>
#include <vector>

#include "broker/admin/process_stats.h"
#include "broker/admin/snapshot.h"

namespace zpost::admin {

/// Who tells.
struct BuildInfo {
  std::string version;
  std::string name;  // The broker's.
  std::string run;
  std::vector<std::string> endpoints = {};  // Where peers connect.
};

/// Every metric the broker has, in the order it is shown.
[[nodiscard]] std::vector<prometheus::MetricFamily> families(const BuildInfo& info,
                                                             const Snapshot& snapshot,
                                                             const ProcessStats& process);

}  // namespace zpost::admin
