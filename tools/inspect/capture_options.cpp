#include "tools/inspect/capture_options.h"

#include <CLI/CLI.hpp>

#include "tools/inspect/span_option.h"

namespace zpost::inspect {

void add_capture_options(CLI::App& verb, CaptureOptions& options) {
  CapturePlan& plan = options.plan;
  verb.add_option("-w,--write", plan.path, "The file; - is standard output")->option_text("FILE");
  cli::add_choice_option(
      verb, "--compress", {"none", "gzip", "zstd"},
      [&options](std::size_t place) {
        options.compression = static_cast<capture::Compression>(place);
      },
      "Compress the file (default: by its ending, .gz or .zst)");
  cli::add_size_option(verb, "--file-size", plan.file_bytes, "Begin the next file at this size");
  add_span_option(verb, "--file-time", plan.file_time, "Begin the next file after so long");
  cli::add_count_option(verb, "--file-count", plan.file_records,
                        "Begin the next file after so many records");
  cli::add_count_option(verb, "--ring-files", plan.ring_files,
                        "Keep only the latest so many files");
  verb.add_option("--comment", plan.comments, "Put a comment into the file (repeatable; pcapng)")
      ->allow_extra_args(false)
      ->option_text("TEXT");
}

Result<CapturePlan> complete(const CaptureOptions& options) {
  CapturePlan plan = options.plan;
  plan.format = options.format.value_or(format_of(plan.path));
  plan.compression = options.compression.value_or(capture::compression_of(plan.path));
  if (plan.ring_files > 0 && !plan.has_parts()) {
    return Error{Outcome::kUnsupported,
                 "--ring-files needs to know when a file is full: add --file-size, --file-time or "
                 "--file-count"};
  }
  if (plan.path == "-" && plan.has_parts()) {
    return Error{Outcome::kUnsupported, "standard output is one file: it cannot be split"};
  }
  return plan;
}

}  // namespace zpost::inspect
