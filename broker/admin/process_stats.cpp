#include "broker/admin/process_stats.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>

namespace zpost::admin {

namespace {

std::string text_of(const char* path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// When the machine started, in seconds since 1970.
double boot_time() {
  std::istringstream lines(text_of("/proc/stat"));
  for (std::string word; lines >> word;) {
    double seconds = 0;
    if (word == "btime" && lines >> seconds) return seconds;
  }
  return 0;
}

std::uint64_t count_fds() {
  std::error_code error;
  const std::filesystem::directory_iterator entries("/proc/self/fd", error);
  if (error) return 0;
  const auto count = std::distance(begin(entries), end(entries));
  return static_cast<std::uint64_t>(std::max<std::ptrdiff_t>(count - 1, 0));  // Without its own.
}

/// proc(5): after the name in parentheses, which may hold anything, come the fields from the third.
void read_stat(ProcessStats& stats) {
  const std::string text = text_of("/proc/self/stat");
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return;
  std::istringstream fields(text.substr(name_end + 1));
  const auto skip = [&fields](int count) {
    std::string ignored;
    while (count-- > 0) fields >> ignored;
  };
  double user = 0;
  double system = 0;
  double start = 0;
  std::uint64_t pages = 0;
  skip(11);
  fields >> user >> system;
  skip(4);
  fields >> stats.threads;
  skip(1);
  fields >> start >> stats.virtual_bytes >> pages;
  if (!fields) return;
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  stats.cpu_seconds = (user + system) / ticks;
  stats.start_time_seconds = boot_time() + start / ticks;
  stats.resident_bytes = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

ProcessStats read_process_stats() {
  ProcessStats stats;
  read_stat(stats);
  stats.open_fds = count_fds();
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) stats.max_fds = limit.rlim_cur;
  return stats;
}

}  // namespace zpost::admin
