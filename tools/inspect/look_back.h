// Asks the broker's flight recorder. protocol/SPEC.md, section 12.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tools/inspect/tap_reader.h"
#include "zpost/peer/peer.h"
#include "zpost/protocol/kinds.h"
#include "zpost/protocol/msgpack_writer.h"

namespace zpost::inspect {

/// What to look for. Empty patterns: anyone.
struct RecallWish {
  std::string from = {};
  std::string to = {};
  std::vector<Kind> kinds = {};          // Empty: all.
  std::optional<std::uint64_t> id = {};  // Only this envelope, sessions, and stalled senders.
  std::uint64_t since_ns = 0;            // Since 1970.
  std::uint64_t until_ns = UINT64_MAX;
  // From the latest but so many on that were received or failed, envelopes or runs; 0: all.
  std::uint64_t latest = 0;
  std::string filter = {};  // docs/filter.md; it cannot ask for bodies. Empty: none.
};

/// The request's body.
[[nodiscard]] ByteBuffer encode(const RecallWish& wish);

/// What there is to say of a look back beside its records.
struct RecallEnd {
  std::uint64_t missed = 0;     // Records that are gone or were never made.
  std::uint64_t oldest_ns = 0;  // How far the recorder reaches back; 0: it has nothing.
  std::uint64_t newest_ns = 0;  // Of the latest record looked at.
};

/// A record of a look back, or what was missed before one. Valid during the call.
using TakeRecalled = std::function<void(const TapEntry&)>;

/// Blocks until `take` was called with all of it, oldest first and without bodies, for `patience`
/// without any progress at most. Holds no more than one message of it. REQUIRES: nobody else
/// receives from `peer`, and it has no tap open. Errors: as Peer::request(), kTimedOut when the
/// broker falls silent.
[[nodiscard]] peer::Answer<RecallEnd> stream_back(peer::Peer& peer, const RecallWish& wish,
                                                  std::chrono::milliseconds patience,
                                                  const TakeRecalled& take);

struct Recalled {
  std::vector<TapEntry> records;  // Oldest first; without bodies.
  std::uint64_t missed = 0;       // Records that are gone or were never made.
  std::uint64_t oldest_ns = 0;    // How far the recorder reaches back; 0: it has nothing.
  std::uint64_t newest_ns = 0;
  bool cut = false;  // There were more.
};

/// At most so many records are kept of a look back.
inline constexpr std::size_t kMostRecalled = 1'000'000;

/// Blocks until all of it is there, for `patience` without any progress at most. REQUIRES: nobody
/// else receives from `peer`, and it has no tap open. Errors: as Peer::request(), kTimedOut when
/// the broker falls silent.
[[nodiscard]] peer::Answer<Recalled> look_back(peer::Peer& peer, const RecallWish& wish,
                                               std::chrono::milliseconds patience);

}  // namespace zpost::inspect
