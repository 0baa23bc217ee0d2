// Results as JSON, one object a line. Rates are per second, times in the unit that their name
// ends with, memory in bytes.
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

namespace zpost::bench::json {

std::string throughput(const System& system, const ThroughputWork& work, const ThroughputRun& run);
std::string latency(const System& system, const LatencyWork& work, const LatencyRun& run);
std::string memory(const System& system, const MemoryWork& work, const MemoryRun& run);
std::string storm(const StormWork& work, const StormRun& run);
std::string amplification(const System& system, const AmplificationWork& work,
                          const AmplificationRun& run);
std::string fairness(const System& system, const FairnessWork& work, const FairnessRun& run,
                     std::optional<double> most);
std::string stall(const System& system, const StallWork& work, const StallRun& run);
std::string compare_run(const CompareRun& run);
std::string compare_rows(const ComparePlan& plan, const WorkItem& work,
                         const std::vector<CompareRow>& rows);

}  // namespace zpost::bench::json
