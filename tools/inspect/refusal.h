// How an inspector ends when the broker does not answer its question.
#pragma once

#include "peer/cli/shared/exit_code.h"
#include "zpost/peer/message.h"

namespace zpost::inspect {

/// As of the other programs, but that a broker which says no, at limits.inspectors say, refuses:
/// there is no envelope here that was not delivered.
[[nodiscard]] constexpr cli::ExitCode exit_code_of(const peer::Failure& failure) {
  const bool says_no = failure.fault == peer::Fault::kFailed;
  return says_no ? cli::ExitCode::kRefused : cli::exit_code_of(failure);
}

}  // namespace zpost::inspect
