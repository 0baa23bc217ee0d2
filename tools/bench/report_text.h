// Results as text.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/bench/amplification.h"
#include "tools/bench/compare.h"
#include "tools/bench/fairness.h"
#include "tools/bench/memory.h"
#include "tools/bench/stall.h"
#include "tools/bench/storm.h"

namespace zpost::bench::text {

std::string throughput(const System& system, const ThroughputWork& work, const ThroughputRun& run);
std::string latency(const System& system, const LatencyWork& work, const LatencyRun& run);
std::string memory(const System& system, const MemoryWork& work, const MemoryRun& run);
std::string storm(const StormWork& work, const StormRun& run);
std::string amplification(const System& system, const AmplificationWork& work,
                          const AmplificationRun& run);
std::string fairness(const System& system, const FairnessWork& work, const FairnessRun& run,
                     std::optional<double> most);
std::string stall(const System& system, const StallWork& work, const StallRun& run);

/// Empty for a flawless run.
std::string compare_run(const CompareRun& run);

/// The line above all works of a table.
std::string compare_table(Table table);

/// Empty without rows: no system can do this work.
std::string compare_rows(const ComparePlan& plan, const WorkItem& work,
                         const std::vector<CompareRow>& rows);

}  // namespace zpost::bench::text
