// Which records a listener wants. protocol/SPEC.md, section 12.
#pragma once

#include <bitset>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "zpost/protocol/msgpack_reader.h"
#include "zpost/protocol/result.h"
#include "zpost/protocol/tap_record.h"

namespace zpost::core {

struct TapFilter {
  std::string from;  // A pattern; empty: anyone.
  std::string to;
  std::bitset<128> kinds;   // None set: all.
  std::uint32_t snap = 0;   // Bytes of the envelopes shown.
  bool each = false;        // Of each envelope, not of a run.
  std::string filter = {};  // In the filter language, which the core does not know; empty: none.

  /// Of a session's record the one name it is about must match any pattern given.
  [[nodiscard]] bool wants(const TapRecord& record, std::string_view from_name,
                           std::string_view to_name) const;
};

/// What is asked of the tap.
enum class TapUse : std::uint8_t { kTap, kRecall };

/// What is wrong with the text of a filter for such a use, for people; empty: nothing. The core
/// refuses what this does not take.
using FilterCheck = std::function<std::string(std::string_view text, TapUse use)>;

/// What a look back into the recorder is for.
struct RecallWish {
  TapFilter filter;
  std::optional<std::uint64_t> id;  // Only envelopes of this one, and sessions.
  std::uint64_t since_ns = 0;       // Wall clock.
  std::uint64_t until_ns = UINT64_MAX;
  // Only from the latest but so many kReceived or kFailed on; 0: all.
  std::uint64_t latest = 0;

  [[nodiscard]] bool wants(const TapRecord& record, std::string_view from_name,
                           std::string_view to_name) const;
};

/// Reads the body of a recall request, as parse_tap_filter().
[[nodiscard]] Result<RecallWish> parse_recall(Bytes request);

/// Reads the body of a tap request. Unknown keys are skipped. Error: the key that is wrong.
[[nodiscard]] Result<TapFilter> parse_tap_filter(Bytes request);

}  // namespace zpost::core
