// How zpost-bench ends. The numbers are those of all zpost programs.
#pragma once

#include <algorithm>

#include "tools/bench/run.h"

namespace zpost::bench {

enum class ExitCode {
  kAsWanted = 0,
  kUsage = 2,
  kNotDelivered = 3,  // Something was lost, duplicated, reordered or corrupt; a limit was not kept.
  kUnreachable = 4,   // A server or client failed.
  kTimedOut = 6,
};

inline ExitCode exit_code_for(const RunRecord& record, bool flawless) {
  if (record.end == RunEnd::kTimedOut) return ExitCode::kTimedOut;
  if (record.end == RunEnd::kFailed) return ExitCode::kUnreachable;
  return flawless ? ExitCode::kAsWanted : ExitCode::kNotDelivered;
}

/// The one that says more: a higher number is the worse end.
inline ExitCode worse(ExitCode a, ExitCode b) {
  return std::max(a, b);
}

}  // namespace zpost::bench
