// What the broker's flight recorder holds, and how long a look into it takes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace zpost::bench {

struct RecorderWork {
  std::uint64_t bytes = std::uint64_t{256} << 20;  // recorder.memory
  int peers = 64;
  std::uint32_t run = 1;  // Envelopes that share their fate.
};

struct Look {
  std::string what;
  double milliseconds = 0;
  std::uint64_t records = 0;  // Told.
};

struct RecorderRun {
  std::uint64_t envelopes = 0;  // That are in it.
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  double fill_ns = 0;  // Of the tap's thread, for each record.
  std::vector<Look> looks;
};

/// Fills a recorder with envelopes between `peers` senders and as many recipients, each received,
/// forwarded and taken, and looks back into it. In this process, without a broker.
[[nodiscard]] RecorderRun run_recorder(const RecorderWork& work);

}  // namespace zpost::bench
