// Reads the records of capture files, one file or several as one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tools/capture/file_source.h"
#include "tools/capture/pcapng_reader.h"
#include "tools/inspect/json_lines_reader.h"
#include "tools/inspect/tap_reader.h"
#include "zpost/protocol/result.h"

namespace zpost::inspect {

/// One file: pcapng, or JSON lines, as it begins. Thread: one. Errors name the file and the byte.
class CaptureReader {
 public:
  explicit CaptureReader(std::string path) : path_(std::move(path)) {}

  [[nodiscard]] Result<void> open();

  /// The next record; `redacted` in it as it was written. False: the end.
  [[nodiscard]] Result<bool> next();

  /// The one that next() read. What it shows is valid until the next call of it.
  [[nodiscard]] const TapEntry& entry() const { return entry_; }

  [[nodiscard]] bool is_redacted() const { return redacted_; }

  /// After an error: goes on behind the damage. False: nothing is there.
  [[nodiscard]] bool resume() { return lines_ ? lines_->resume() : packets_->resume(); }

  /// Bytes read so far, uncompressed: up to the record, or to where the damage begins or ends.
  [[nodiscard]] std::uint64_t offset() const {
    return lines_ ? lines_->offset() : packets_->offset();
  }

  [[nodiscard]] std::uint64_t bytes_read() const {
    return lines_ ? lines_->bytes_read() : packets_->bytes_read();
  }

  /// Packets that are no record of zpost.
  [[nodiscard]] std::uint64_t foreign() const { return foreign_; }

  [[nodiscard]] const std::string& path() const { return path_; }

  /// Of the sections read so far. JSON lines have none.
  [[nodiscard]] std::vector<std::string> comments() const {
    return lines_ ? std::vector<std::string>() : packets_->comments();
  }

  /// REQUIRES: it is pcapng.
  [[nodiscard]] const capture::PcapngReader& packets() const { return *packets_; }

 private:
  [[nodiscard]] Result<bool> next_line();

  const std::string path_;
  capture::FileSource file_;
  std::unique_ptr<capture::ByteSource> bytes_;
  std::unique_ptr<capture::PcapngReader> packets_;
  TapEntry entry_;
  bool redacted_ = false;
  std::uint64_t foreign_ = 0;
  std::unique_ptr<capture::ByteSource> whole_;  // The same from its beginning, which was looked at.
  std::unique_ptr<JsonLinesReader> lines_;      // Or none: packets_.
};

}  // namespace zpost::inspect
