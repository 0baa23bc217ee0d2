// How the programs end. The numbers are part of their interface.
#pragma once

#include "zpost/peer/message.h"

namespace zpost::cli {

enum class ExitCode {
  kAsWanted = 0,
  kFailed = 1,  // This machine's fault: a full disk, say.
  kUsage = 2,
  kNotDelivered = 3,
  kUnreachable = 4,
  kRefused = 5,
  kTimedOut = 6,
};

/// A verb that `signal` ended before its work was done; as shells report it.
[[nodiscard]] constexpr ExitCode interrupted_by(int signal) {
  constexpr int kKilledBy = 128;
  return static_cast<ExitCode>(kKilledBy + signal);
}

[[nodiscard]] constexpr ExitCode exit_code_of(const peer::Failure& failure) {
  switch (failure.fault) {
    case peer::Fault::kInvalid:
      return ExitCode::kUsage;
    case peer::Fault::kUnreachable:
      return ExitCode::kUnreachable;
    case peer::Fault::kRefused:
    case peer::Fault::kClosed:
      return ExitCode::kRefused;
    case peer::Fault::kWouldBlock:
    case peer::Fault::kTimedOut:
      return ExitCode::kTimedOut;
    case peer::Fault::kFailed:
      return ExitCode::kNotDelivered;
    case peer::Fault::kExhausted:
      return ExitCode::kFailed;
  }
  return ExitCode::kFailed;
}

}  // namespace zpost::cli
