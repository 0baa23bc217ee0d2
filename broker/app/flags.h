// The command line.
#pragma once

#include <string>
#include <variant>

#include "broker/app/config.h"

namespace zpost::app {

/// What the command line asks for: to run, or to print something and leave.
struct Run {
  Config config;
};

struct Leave {
  int code = 0;
  std::string text;
};

/// Reads flags, and the file that --config names; flags win. The result is checked.
[[nodiscard]] std::variant<Run, Leave> read_flags(int argc, const char* const* argv);

inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;

}  // namespace zpost::app
