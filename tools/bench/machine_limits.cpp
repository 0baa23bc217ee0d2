#include "tools/bench/machine_limits.h"

#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string_view>

namespace zpost::bench {
namespace {

std::optional<std::uint64_t> number_in(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::uint64_t number = 0;
  if (!(file >> number)) return std::nullopt;
  return number;
}

// The fourth word of /proc/loadavg is RUNNING/ALL.
std::uint64_t threads_in_use() {
  std::ifstream file("/proc/loadavg");
  std::string word;
  for (int i = 0; i < 4; ++i) file >> word;
  std::uint64_t threads = 0;
  std::size_t digits = 0;
  for (const char c : word.substr(std::min(word.find('/') + 1, word.size()))) {
    if (c < '0' || c > '9' || ++digits > 9) break;
    threads = threads * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return threads;
}

void add_kernel_threads(std::vector<MachineLimit>& limits) {
  const std::uint64_t in_use = threads_in_use();
  // Every thread has a number of its own below pid_max.
  for (const char* const name : {"pid_max", "threads-max"}) {
    const auto most = number_in(std::filesystem::path("/proc/sys/kernel") / name);
    if (most) limits.push_back({fmt::format("kernel.{}", name), &Needs::threads, *most, in_use});
  }
}

// The folder of this process's control group; empty where there are only those of version 1.
std::filesystem::path control_group() {
  constexpr std::string_view kUnified = "0::/";
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(kUnified)) {
      return std::filesystem::path("/sys/fs/cgroup") / line.substr(kUnified.size());
    }
  }
  return {};
}

// Those of the groups around it hold as well. TasksMax is what systemd calls them.
void add_control_groups(std::vector<MachineLimit>& limits) {
  for (auto group = control_group(); group.has_relative_path() && group.filename() != "fs";
       group = group.parent_path()) {
    const auto most = number_in(group / "pids.max");  // No number: "max".
    const auto in_use = number_in(group / "pids.current");
    if (most && in_use) {
      limits.push_back({(group / "pids.max").string(), &Needs::threads, *most, *in_use});
    }
  }
}

void add_user_limits(std::vector<MachineLimit>& limits) {
  rlimit limit = {};
  // The kernel does not hold root to it.
  if (geteuid() != 0 && getrlimit(RLIMIT_NPROC, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    limits.push_back({"the user's processes (ulimit -u)", &Needs::threads, limit.rlim_cur});
  }
  // The bench raises the soft limit as far as the hard one.
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max != RLIM_INFINITY) {
    limits.push_back({"open files (ulimit -Hn)", &Needs::files, limit.rlim_max});
  }
}

void add_ports(std::vector<MachineLimit>& limits) {
  std::ifstream file("/proc/sys/net/ipv4/ip_local_port_range");
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  if (file >> first >> last && first <= last) {
    limits.push_back(
        {"the number of ports in net.ipv4.ip_local_port_range", &Needs::ports, last - first + 1});
  }
}

void add_memory(std::vector<MachineLimit>& limits) {
  std::ifstream file("/proc/meminfo");
  std::string word;
  while (file >> word) {
    std::uint64_t kibibytes = 0;
    if (word == "MemAvailable:" && file >> kibibytes) {
      limits.push_back(
          {"the MiB of MemAvailable in /proc/meminfo", &Needs::mebibytes, kibibytes / 1024});
      return;
    }
    std::getline(file, word);
  }
}

const char* word_for(std::uint64_t Needs::*resource) {
  if (resource == &Needs::threads) return "threads";
  if (resource == &Needs::files) return "open files in one process";
  if (resource == &Needs::ports) return "local ports";
  return "MiB of memory";
}

}  // namespace

std::vector<MachineLimit> machine_limits() {
  std::vector<MachineLimit> limits;
  add_kernel_threads(limits);
  add_control_groups(limits);
  add_user_limits(limits);
  add_ports(limits);
  add_memory(limits);
  return limits;
}

std::optional<std::string> find_shortage(const Needs& needs,
                                         const std::vector<MachineLimit>& limits) {
  for (const MachineLimit& limit : limits) {
    const std::uint64_t needed = needs.*limit.resource;
    if (needed <= limit.most - std::min(limit.most, limit.in_use)) continue;
    std::string text = fmt::format("this takes {} {}, and {} is {}", needed,
                                   word_for(limit.resource), limit.name, limit.most);
    if (limit.in_use > 0) text += fmt::format(", of which {} are in use", limit.in_use);
    return text;
  }
  return std::nullopt;
}

}  // namespace zpost::bench
