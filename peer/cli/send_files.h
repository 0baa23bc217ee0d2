// Files to one recipient, one after the other.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "peer/cli/shared/exit_code.h"
#include "peer/cli/shared/options.h"

namespace zpost::cli {

struct SendFilesOptions {
  CommonOptions common;
  std::string to;
  std::vector<std::string> paths;
  std::chrono::milliseconds timeout{60'000};  // Without progress.
};

/// Connects, sends all, and says what became of each. What cannot be opened is known before
/// anything is sent.
[[nodiscard]] ExitCode send_files(const SendFilesOptions& options, const std::string& software);

}  // namespace zpost::cli
