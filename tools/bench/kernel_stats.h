// What the kernel knows about processes: CPU time, memory, and how busy the machine is.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <chrono>
#include <cstdint>

namespace zpost::bench {

/// User and system time of all threads of a process, ended ones included. Zero if it is gone.
std::chrono::nanoseconds cpu_time(pid_t pid);

/// User and system time in `usage`.
std::chrono::nanoseconds cpu_time(const rusage& usage);

struct ProcessMemory {
  std::uint64_t resident_bytes = 0;
  std::uint64_t peak_resident_bytes = 0;
};

/// Zeros if the process is gone.
ProcessMemory process_memory(pid_t pid);

/// What a process has of the machine's memory right now.
struct MemoryShare {
  std::uint64_t resident_bytes = 0;      // RSS: all pages it has.
  std::uint64_t proportional_bytes = 0;  // PSS: a page that N processes share counts as 1/N.
};

/// Reads /proc/PID/smaps_rollup. Zeros if the process is gone.
MemoryShare memory_share(pid_t pid);

/// Whether a process stands still after SIGSTOP.
bool is_stopped(pid_t pid);

/// CPU time that all processes together have used since boot, in ticks of 10 ms as /proc/stat
/// counts it. Idle, I/O wait and time stolen by a hypervisor are not in it.
std::chrono::nanoseconds machine_busy_time();

}  // namespace zpost::bench
