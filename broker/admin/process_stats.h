// What the operating system says of this process.
#pragma once

#include <cstdint>

namespace zpost::admin {

/// Zero where the system does not tell.
struct ProcessStats {
  double cpu_seconds = 0;
  double start_time_seconds = 0;  // Since 1970.
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t open_fds = 0;
  std::uint64_t max_fds = 0;
  std::uint64_t threads = 0;
};

/// Reads /proc; with 10,000 descriptors that takes some milliseconds, so never on the routing
/// thread.
[[nodiscard]] ProcessStats read_process_stats();

}  // namespace zpost::admin
