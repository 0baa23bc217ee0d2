// How the tap is asked for. protocol/SPEC.md, section 12.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "zpost/protocol/kinds.h"
#include "zpost/protocol/msgpack_writer.h"
#include "zpost/protocol/tap_record.h"

namespace zpost::inspect {

struct TapWish {
  std::string from;  // Patterns, that of a service with its @; empty: anyone.
  std::string to;
  std::vector<Kind> kinds;  // Empty: all.
  std::uint64_t snap = 0;   // Bytes of the envelopes wanted.
  bool each = false;        // Of each, not of a run of neighbours.
  std::string filter;       // Empty: none.
};

/// The filter for what `filter`, which may be empty, wants of these events; `filter` itself if
/// that is more than a broker takes, so whoever asks must choose among the events. REQUIRES:
/// !events.empty().
[[nodiscard]] std::string with_events(const std::string& filter, const std::set<TapEvent>& events);

/// Whether all that lines of these events show is in their records. For others it must be seen what
/// was received: when, and of which kind.
[[nodiscard]] bool tell_by_themselves(const std::set<TapEvent>& events);

/// The request's body.
[[nodiscard]] ByteBuffer encode(const TapWish& wish);
[[nodiscard]] ByteBuffer encode_untap();

}  // namespace zpost::inspect
