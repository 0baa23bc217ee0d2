// Results as text. See report.h.
#pragma once

#include <string>
#include <vector>

#include "tools/bench/compare.h"

namespace zpost::bench::text {

std::string throughput(const System& system, const ThroughputWork& work, const ThroughputRun& run);
std::string latency(const System& system, const LatencyWork& work, const LatencyRun& run);

/// Empty for a flawless run.
std::string compare_run(const CompareRun& run);

std::string compare_rows(const ComparePlan& plan, const WorkItem& work,
                         const std::vector<CompareRow>& rows);

}  // namespace zpost::bench::text
