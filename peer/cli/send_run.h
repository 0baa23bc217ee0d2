// One run of send or publish: bodies go out, and what became of them is said.
#pragma once

#include <string>

#include "peer/cli/body_source.h"
#include "peer/cli/send_lines.h"
#include "peer/cli/shared/exit_code.h"
#include "peer/cli/shared/options.h"

namespace zpost::cli {

enum class Wait { kDelivered, kSent };

struct SendOptions {
  CommonOptions common;
  SendTask task;
  BodySource source;
  bool lines = false;
  Wait wait = Wait::kDelivered;
};

/// Throws CLI::ValidationError if it is not clear what to send. Without a word of it, a stream of
/// lines is standard input.
void check_source(SendOptions& options);

/// Connects, sends what the options say, and waits for the outcomes.
[[nodiscard]] ExitCode send_and_report(const SendOptions& options, const std::string& software);

}  // namespace zpost::cli
