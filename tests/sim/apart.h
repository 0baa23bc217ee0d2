// Runs something in a process of its own, which an assertion may end.
#pragma once

#include <functional>
#include <string>

namespace zpost::sim {

struct Ending {
  bool whole = false;  // `act` returned; otherwise the process ended before.
  int code = 0;        // Of the exit; when a signal ended it, its negative number.
  std::string said;    // What `act` returned, cut at 32 KiB.
  std::string errors;  // What was written to stderr.
};

/// How the process ends when `act` has returned.
enum class Leave {
  kProperly,  // Counters of coverage are written down, and leaks looked for.
  kAtOnce,
};

/// Blocks until the process has ended. Its stdout is this one's. It dies with this one. Throws
/// std::system_error when there can be no process.
[[nodiscard]] Ending run_apart(const std::function<std::string()>& act,
                               Leave leave = Leave::kProperly);

}  // namespace zpost::sim
