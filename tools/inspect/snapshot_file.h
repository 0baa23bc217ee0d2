// One file that a snapshot writes: what the recorder holds, then perhaps what comes.
// docs/capture.md.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>

#include "tools/inspect/capture_writer.h"
#include "tools/inspect/entry_choice.h"
#include "tools/inspect/redactor.h"

namespace zpost::inspect {

/// Thread: one. `now_ns` is the wall clock. Errors are the file system's, in words.
class SnapshotFile {
 public:
  SnapshotFile(CapturePlan plan, const Redactions& redactions, EntryChoice choice)
      : writer_(std::move(plan)), redactor_(redactions), choice_(std::move(choice)) {}

  /// Whether there is a file: from the first record on, so that one which was there before is kept
  /// where there is nothing to write.
  [[nodiscard]] bool is_begun() const { return is_begun_; }

  /// A record of the recorder. What was missed before one that is not wanted goes into the file all
  /// the same.
  [[nodiscard]] Result<void> add_recalled(const TapEntry& entry, std::uint64_t now_ns);

  /// A record of the tap, opened before the recorder was asked: no more if the recorder told it.
  [[nodiscard]] Result<void> add_live(const TapEntry& entry, std::uint64_t now_ns);

  [[nodiscard]] Result<void> turn(std::uint64_t now_ns) {
    return is_begun_ ? writer_.turn(now_ns) : Result<void>();
  }

  /// REQUIRES: is_begun().
  [[nodiscard]] Result<void> finish(std::uint64_t now_ns) { return writer_.finish(now_ns); }

  [[nodiscard]] const CaptureWriter& writer() const { return writer_; }

 private:
  struct Told {
    TapRecord record;
    std::string from;
    std::string to;
  };

  // Latest records of the recorder that are remembered, to know them again when the tap tells them:
  // more than a broker makes between two messages to an inspector.
  static constexpr std::size_t kMostTold = 1024;

  [[nodiscard]] Result<void> add(const TapEntry& entry, std::uint64_t now_ns);
  [[nodiscard]] Result<void> write(const TapEntry& entry, bool redacted, std::uint64_t now_ns);
  void remember(const TapEntry& entry);
  [[nodiscard]] bool was_told(const TapEntry& entry) const;

  CaptureWriter writer_;
  Redactor redactor_;
  EntryChoice choice_;
  TapEntry redacted_;
  std::uint64_t newest_ns_ = 0;  // Of what was recalled …
  std::deque<Told> latest_;      // … and the latest of it.
  bool is_begun_ = false;
  bool is_live_ = false;  // A live record was written: what is missed now is missed.
};

}  // namespace zpost::inspect
