// The throughput run: senders, receivers, every payload verified.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "tools/bench/run.h"
#include "tools/bench/stream.h"
#include "tools/bench/system.h"

namespace zpost::bench {

/// Who sends to whom.
enum class Shape : std::uint8_t {
  kPairs,   // Sender i to receiver i.
  kFanOut,  // One publisher to every subscriber; a delivery counts.
  kTopics,  // Publisher i, on many topics in turn, to the subscriber i of all of them.
  kCalls,   // Caller i through a service that kWorkers share; a reply counts, in any order.
};

inline constexpr std::uint32_t kTopicsOfAPublisher = 250;
inline constexpr std::uint32_t kWorkers = 2;
inline constexpr std::uint32_t kCallsInFlight = 64;

struct ThroughputWork {
  Shape shape = Shape::kPairs;
  std::size_t payload_bytes = 64;
  std::uint32_t pairs = 1;           // Of the shape's i; of kFanOut the subscribers.
  Quota quota;                       // Of each sender.
  std::chrono::seconds timeout{60};  // For the whole run; the rest then counts as lost.
};

struct ThroughputRun {
  RunRecord record;
  std::uint64_t sent = 0;
  std::uint64_t received = 0;  // Intact, each once.
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;
  std::uint64_t corrupt = 0;
  double seconds = 0;     // From the first arrival at any receiver to the last at any.
  double per_second = 0;  // (received - pairs) / seconds

  [[nodiscard]] std::uint64_t lost() const { return sent - received; }

  [[nodiscard]] bool flawless() const {
    return record.finished() && lost() + duplicated + reordered + corrupt == 0;
  }

  [[nodiscard]] double server_cpu_us_per_message() const {
    return received == 0 ? 0 : record.server_cpu_seconds * 1e6 / static_cast<double>(received);
  }
};

/// Performs one run. It ends when every receiver has everything, when all senders are done and
/// nothing has arrived for some seconds, or at the timeout. Throws Interrupted only.
ThroughputRun run_throughput(const System& system, const ThroughputWork& work);

}  // namespace zpost::bench
