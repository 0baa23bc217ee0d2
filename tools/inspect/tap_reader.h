// Reads the records of a tap. Pure. protocol/SPEC.md, section 12.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "zpost/protocol/msgpack_reader.h"
#include "zpost/protocol/result.h"
#include "zpost/protocol/tap_record.h"

namespace zpost::inspect {

/// A record with its numbers replaced by names.
struct TapEntry {
  TapRecord record;
  std::string from;  // Empty: the broker, or a session's record without a name.
  std::string to;
  Bytes shown = {};          // The beginning of the run's envelopes; borrowed from the body.
  std::uint64_t missed = 0;  // Records missed before this one.
};

/// Remembers names from one body to the next: one reader for each tap that was opened.
class TapReader {
 public:
  /// Appends the records of `body` to `entries`, except those that only give names. Error: what is
  /// wrong and where; the entries before it stand.
  Result<void> read(Bytes body, std::vector<TapEntry>& entries);

 private:
  [[nodiscard]] std::string name(std::uint32_t number) const;
  [[nodiscard]] std::uint64_t count_missed(const TapRecord& record);

  std::unordered_map<std::uint32_t, std::string> names_;
  std::uint64_t next_sequence_ = 0;  // 0: any.
  std::uint64_t untold_ = 0;         // Missed before a record that only gave a name.
};

}  // namespace zpost::inspect
