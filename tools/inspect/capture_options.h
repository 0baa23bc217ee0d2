// How files are written: the same for all verbs that write captures.
#pragma once

#include <optional>

#include "peer/cli/shared/options.h"
#include "tools/inspect/capture_writer.h"

namespace zpost::inspect {

struct CaptureOptions {
  CapturePlan plan;
  std::optional<CaptureFormat> format;
  std::optional<capture::Compression> compression;
};

/// -w and what goes with it.
void add_capture_options(CLI::App& verb, CaptureOptions& options);

/// What was asked for, the rest by the file's ending. Error: what does not go together.
[[nodiscard]] Result<CapturePlan> complete(const CaptureOptions& options);

}  // namespace zpost::inspect
