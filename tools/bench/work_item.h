// One piece of work that `compare` gives to every system, and its name: "64B-4p" is 64-byte
// payloads between 4 pairs, "rtt-64B" is round trips of 64 bytes, "64B-fan100" goes from one
// publisher to 100 subscribers, "64B-topics4" from 4 publishers on 250 topics each to 4 wildcards,
// "64B-calls8" through a service and back to 8 callers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/bench/system.h"
#include "tools/bench/throughput.h"

namespace zpost::bench {

inline constexpr std::uint32_t kMaxPairs = 64;
inline constexpr std::uint32_t kMaxSubscribers = 1000;

struct WorkItem {
  std::string name;
  Measure measure = Measure::kThroughput;
  std::size_t payload_bytes = 0;
  std::uint32_t pairs = 1;
  Shape shape = Shape::kPairs;
};

/// The two tables of `compare`: from one to one, there and perhaps back; and by topics and
/// services.
enum class Table : std::uint8_t { kPairs, kTopics };

Table table_of(const WorkItem& item);

/// Nothing if `name` is not well formed or is out of the limits. Sizes have the unit B, KiB or
/// MiB.
std::optional<WorkItem> parse_work_item(std::string_view name);

/// The names that `compare` uses by default, those of one table together.
std::vector<std::string> default_work();

}  // namespace zpost::bench
