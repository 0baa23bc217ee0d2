// How the tap is asked for. protocol/SPEC.md, section 12.
#pragma once

#include <cstdint>
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

/// The request's body.
[[nodiscard]] ByteBuffer encode(const TapWish& wish);
[[nodiscard]] ByteBuffer encode_untap();

}  // namespace zpost::inspect
