// Lines that the tests of exchanges have in common.
#pragma once

#include <cstdint>
#include <string>

#include "tests/tools/inspect/times.h"
#include "tools/inspect/tail_line.h"
#include "zpost/protocol/kinds.h"

namespace zpost::inspect {

/// Of one envelope, `ms` milliseconds after kStart.
inline TailLine line_at(std::uint64_t ms, TapEvent event, Kind kind, const std::string& from,
                        const std::string& to, std::uint64_t id) {
  return {.event = event,
          .time_ns = kStart + ms * kMs,
          .from = from,
          .to = to,
          .kind_number = static_cast<std::uint8_t>(kind),
          .first_id = id,
          .last_id = id,
          .count = 1,
          .bytes = 50};
}

}  // namespace zpost::inspect
