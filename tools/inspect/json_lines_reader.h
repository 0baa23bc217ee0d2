// Reads captures in JSON lines. docs/capture.md, "JSON lines". Pure but for its source.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tools/capture/byte_source.h"
#include "tools/inspect/tap_reader.h"
#include "zpost/protocol/msgpack_writer.h"
#include "zpost/protocol/result.h"

namespace zpost::inspect {

/// A record for each line; what was missed goes to the record behind it, as taps tell it. Bounded:
/// a line of more than kMaxLine is an error. Thread: one.
class JsonLinesReader {
 public:
  static constexpr std::size_t kMaxLine = 1 << 20;

  explicit JsonLinesReader(capture::ByteSource& source) : source_(source) {}

  /// Reads the next record. False: the end. Error: the line at offset() is no record, or the bytes
  /// are cut; the records before it stand.
  [[nodiscard]] Result<bool> next();

  /// The one that next() read; `shown` is valid until the next call of it.
  [[nodiscard]] const TapEntry& entry() const { return entry_; }

  [[nodiscard]] bool is_redacted() const { return redacted_; }

  /// After an error: goes on behind that line. False: nothing is there.
  [[nodiscard]] bool resume();

  /// Where the line begins that next() read last or failed at, or resume() found.
  [[nodiscard]] std::uint64_t offset() const { return offset_; }

  /// Where there is nothing more, once next() or resume() said so.
  [[nodiscard]] std::uint64_t bytes_read() const { return read_; }

 private:
  [[nodiscard]] Result<bool> next_line(std::string_view& line);
  [[nodiscard]] Result<bool> take(std::string_view line);
  [[nodiscard]] bool fill();
  void pass_line();

  capture::ByteSource& source_;
  std::string buffer_;
  std::size_t begin_ = 0;     // Of the line in `buffer_`.
  std::size_t consumed_ = 0;  // The line last read with its line feed, still in front.
  std::uint64_t offset_ = 0;
  std::uint64_t read_ = 0;
  bool ended_ = false;  // The source has no more.
  TapEntry entry_;
  std::optional<TapEntry> missed_;  // Read, and not told yet.
  std::optional<TapEntry> behind_;  // What follows it, and is told next.
  ByteBuffer shown_;
  bool redacted_ = false;
};

}  // namespace zpost::inspect
