#include "tools/bench/work_item.h"

#include <charconv>

#include "tools/bench/payload.h"

namespace zpost::bench {
namespace {

constexpr std::string_view kRoundTripPrefix = "rtt-";

// Takes a number off the front of `text`.
std::optional<std::uint32_t> take_number(std::string_view& text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::optional<std::size_t> take_size(std::string_view& text) {
  const auto number = take_number(text);
  if (!number) return std::nullopt;
  std::size_t unit = 0;
  if (take_prefix(text, "B")) unit = 1;
  if (take_prefix(text, "KiB")) unit = 1024;
  if (take_prefix(text, "MiB")) unit = std::size_t{1024} * 1024;
  const std::size_t bytes = *number * unit;
  if (bytes < kMinPayloadBytes || bytes > kMaxPayloadBytes) return std::nullopt;
  return bytes;
}

/// "4p", "fan100", "topics4", "calls8".
bool take_shape(std::string_view& name, WorkItem& item) {
  if (take_prefix(name, "fan")) {
    item.shape = Shape::kFanOut;
  } else if (take_prefix(name, "topics")) {
    item.shape = Shape::kTopics;
  } else if (take_prefix(name, "calls")) {
    item.shape = Shape::kCalls;
  }
  const bool topics = item.shape == Shape::kFanOut || item.shape == Shape::kTopics;
  if (topics) item.measure = Measure::kTopics;
  if (item.shape == Shape::kCalls) item.measure = Measure::kCalls;
  const auto count = take_number(name);
  const std::uint32_t most = item.shape == Shape::kFanOut ? kMaxSubscribers : kMaxPairs;
  if (!count || *count < 1 || *count > most) return false;
  item.pairs = *count;
  return item.shape != Shape::kPairs || take_prefix(name, "p");
}

}  // namespace

std::optional<WorkItem> parse_work_item(std::string_view name) {
  WorkItem item{.name = std::string(name)};
  if (take_prefix(name, kRoundTripPrefix)) item.measure = Measure::kLatency;

  const auto size = take_size(name);
  if (!size) return std::nullopt;
  item.payload_bytes = *size;
  if (item.measure == Measure::kThroughput) {
    if (!take_prefix(name, "-") || !take_shape(name, item)) return std::nullopt;
  }
  if (!name.empty()) return std::nullopt;
  return item;
}

Table table_of(const WorkItem& item) {
  const bool pairs = item.measure == Measure::kThroughput || item.measure == Measure::kLatency;
  return pairs ? Table::kPairs : Table::kTopics;
}

std::vector<std::string> default_work() {
  return {"64B-1p",  "64B-4p",     "1KiB-1p",     "1KiB-4p",     "64KiB-1p",
          "rtt-64B", "64B-fan100", "1KiB-fan100", "64B-topics4", "64B-calls8"};
}

}  // namespace zpost::bench
