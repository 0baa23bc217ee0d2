#include "tools/bench/kernel_stats.h"

#include <unistd.h>

#include <ctime>
#include <fstream>
#include <functional>
#include <map>
#include <string>

namespace zpost::bench {
namespace {

using std::chrono::nanoseconds;

nanoseconds duration_of(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

std::string file_of(pid_t pid, const char* name) {
  return "/proc/" + std::to_string(pid) + "/" + name;
}

// Lines of such a file are "KEY: NUMBER kB". Keys of `bytes` that do not occur keep their value.
void read_sizes(pid_t pid, const char* name,
                const std::map<std::string, std::uint64_t*, std::less<>>& bytes) {
  std::ifstream file(file_of(pid, name));
  std::string word;
  while (file >> word) {
    const auto target = bytes.find(word);
    if (target != bytes.end() && file >> *target->second) *target->second *= 1024;
    std::getline(file, word);
  }
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
  ProcessMemory memory;
  read_sizes(pid, "status",
             {{"VmRSS:", &memory.resident_bytes}, {"VmHWM:", &memory.peak_resident_bytes}});
  return memory;
}

MemoryShare memory_share(pid_t pid) {
  MemoryShare share;
  read_sizes(pid, "smaps_rollup",
             {{"Rss:", &share.resident_bytes}, {"Pss:", &share.proportional_bytes}});
  return share;
}

bool is_stopped(pid_t pid) {
  std::ifstream stat(file_of(pid, "stat"));
  std::string text;
  std::getline(stat, text);
  // "PID (NAME) STATE ...", and a name may hold anything.
  const std::size_t name_end = text.rfind(')');
  return name_end != std::string::npos && text.compare(name_end, 3, ") T") == 0;
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
