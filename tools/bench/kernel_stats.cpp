#include "tools/bench/kernel_stats.h"

#include <unistd.h>

#include <ctime>
#include <fstream>
#include <string>

namespace zpost::bench {
namespace {

using std::chrono::nanoseconds;

nanoseconds duration_of(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

}  // namespace

nanoseconds cpu_time(pid_t pid) {
  clockid_t clock = 0;
  timespec time = {};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) return {};
  return std::chrono::seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
}

nanoseconds cpu_time(const rusage& usage) {
  return duration_of(usage.ru_utime) + duration_of(usage.ru_stime);
}

ProcessMemory process_memory(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  ProcessMemory memory;
  std::string key;
  while (status >> key) {
    std::uint64_t* const target = key == "VmRSS:"   ? &memory.resident_bytes
                                  : key == "VmHWM:" ? &memory.peak_resident_bytes
                                                    : nullptr;
    if (target != nullptr && status >> *target) *target *= 1024;
    std::getline(status, key);
  }
  return memory;
}

nanoseconds machine_busy_time() {
  std::ifstream stat("/proc/stat");
  std::string label;
  std::int64_t user = 0;
  std::int64_t nice = 0;
  std::int64_t system = 0;
  std::int64_t idle = 0;
  std::int64_t iowait = 0;
  std::int64_t irq = 0;
  std::int64_t softirq = 0;
  stat >> label >> user >> nice >> system >> idle >> iowait >> irq >> softirq;
  const std::int64_t ticks = user + nice + system + irq + softirq;
  return nanoseconds(ticks * (1'000'000'000 / sysconf(_SC_CLK_TCK)));
}

}  // namespace zpost::bench
