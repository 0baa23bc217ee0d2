// Writes records to one capture file, or to several in turn. docs/capture.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "tools/capture/file_sink.h"
#include "tools/capture/pcapng_writer.h"
#include "tools/inspect/tail_filter.h"
#include "tools/inspect/tail_line.h"
#include "tools/inspect/tap_reader.h"

namespace zpost::inspect {

enum class CaptureFormat : std::uint8_t { kPcapng, kJson };

/// By the file's ending without that of its compression: `.json` and `.jsonl`, or anything else.
[[nodiscard]] CaptureFormat format_of(std::string_view path);

struct CapturePlan {
  std::string path;  // `-`: standard output.
  CaptureFormat format = CaptureFormat::kPcapng;
  capture::Compression compression = capture::Compression::kNone;
  // When a file is full and the next begins; 0: never.
  std::uint64_t file_bytes = 0;
  std::uint64_t file_records = 0;
  std::chrono::milliseconds file_time{0};
  std::uint64_t ring_files = 0;  // Only so many are kept, the latest; 0: all.
  std::string program;
  std::string source;
  std::vector<std::string> comments;

  [[nodiscard]] bool has_parts() const {
    return file_bytes > 0 || file_records > 0 || file_time.count() > 0;
  }
};

/// Where part `number` (1 …) goes: `trace_00001_20260102T150405.pcapng.zst` for
/// `trace.pcapng.zst`.
[[nodiscard]] std::string part_path(const std::string& path, std::uint64_t number,
                                    std::uint64_t time_ns);

/// What it was given is in the file within kFlushEvery, whatever becomes of this program. Thread:
/// one. `now_ns` is the wall clock. Errors are the file system's, in words.
class CaptureWriter {
 public:
  static constexpr std::chrono::milliseconds kFlushEvery{250};

  explicit CaptureWriter(CapturePlan plan) : plan_(std::move(plan)) {}

  /// Those that are new come before what the plan says. REQUIRES: open() was not called.
  void keep_comments(const std::vector<std::string>& earlier);

  [[nodiscard]] Result<void> open(std::uint64_t now_ns);

  [[nodiscard]] Result<void> add(const TapEntry& entry, bool redacted, std::uint64_t now_ns);

  /// To be called now and then, whether or not there was something to add.
  [[nodiscard]] Result<void> turn(std::uint64_t now_ns);

  [[nodiscard]] Result<void> finish(std::uint64_t now_ns);

  /// Records that the files are known to hold, those that are gone included: what was added since
  /// waits here or in a compressor.
  [[nodiscard]] std::uint64_t written() const { return written_; }

  /// Of all files, those that are gone included.
  [[nodiscard]] const capture::Totals& totals() const { return totals_; }

  [[nodiscard]] std::uint64_t files() const { return part_; }

  /// As stored, of all files; up to the last flush.
  [[nodiscard]] std::uint64_t bytes() const { return earlier_bytes_ + sink_.bytes(); }

 private:
  // What is handed to the kernel at once: large enough to cost little per record.
  static constexpr std::size_t kWriteAtOnce = 256 << 10;

  [[nodiscard]] Result<void> begin_file(std::uint64_t now_ns);
  [[nodiscard]] Result<void> end_file(std::uint64_t now_ns);
  [[nodiscard]] Result<void> write_staged();
  [[nodiscard]] bool is_full(std::uint64_t now_ns) const;
  void stage_packet(const TapEntry& entry, bool redacted);
  void stage_lines(const TapEntry& entry, bool redacted);

  CapturePlan plan_;
  TailFilter completer_{{}, false, {}};  // Of JSON lines: it remembers kinds and latencies.
  capture::FileSink sink_;
  ByteBuffer staged_;
  ByteBuffer data_;
  std::vector<TailLine> lines_;
  std::deque<std::string> paths_;  // Of the ring.
  capture::Totals totals_;
  capture::Totals file_totals_;
  std::uint64_t written_ = 0;
  std::uint64_t part_ = 0;
  std::uint64_t earlier_bytes_ = 0;
  std::uint64_t began_ns_ = 0;
  std::uint64_t flushed_ns_ = 0;
};

}  // namespace zpost::inspect
