// Whether the machine allows what a run needs, so that a run for which it does not is refused
// before it starts, with the name of the limit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace zpost::bench {

/// What a run has at most at one time, besides what runs already.
struct Needs {
  std::uint64_t threads = 0;    // Of all processes.
  std::uint64_t files = 0;      // Open ones, of the process with the most.
  std::uint64_t ports = 0;      // Local ones, of connections to one server.
  std::uint64_t mebibytes = 0;  // Of memory, of all processes.
};

/// One limit of the machine, of this user or of this process.
struct MachineLimit {
  std::string name;                          // As whoever raises it finds it.
  std::uint64_t Needs::*resource = nullptr;  // What it limits.
  std::uint64_t most = 0;
  std::uint64_t in_use = 0;  // Of that, already.
};

/// The limits in force. One that cannot be read, or is none, is left out.
std::vector<MachineLimit> machine_limits();

/// The first limit that is too low for `needs`, in words; nothing when all are high enough. Pure.
std::optional<std::string> find_shortage(const Needs& needs,
                                         const std::vector<MachineLimit>& limits);

}  // namespace zpost::bench
