// One line of `tail`, before anybody decides how it looks. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/inspect/shown_envelopes.h"
#include "tools/inspect/tap_reader.h"
#include "zpost/protocol/outcomes.h"

namespace zpost::inspect {

struct TailLine {
  TapEvent event = TapEvent::kReceived;
  std::uint64_t time_ns = 0;
  std::uint64_t sequence = 0;
  std::string from = {};  // Of a session: whose.
  std::string to = {};
  std::uint8_t kind_number = 0;  // 0: not known.
  std::uint64_t first_id = 0;
  std::uint64_t last_id = 0;
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
  Outcome outcome = Outcome::kNone;  // Failed, delivered; why a session is over.
  SessionChange change = SessionChange::kJoined;
  std::uint64_t missed = 0;                    // kMissed only.
  std::optional<ShownEnvelope> envelope = {};  // Borrowed from the tap's body.
};

/// "received", "session", …; "unknown" for other numbers.
[[nodiscard]] std::string_view event_name(TapEvent event);
[[nodiscard]] std::optional<TapEvent> event_from_name(std::string_view name);
/// "joined", "away", …
[[nodiscard]] std::string_view change_name(SessionChange change);

/// Appends the lines of a record: what was missed before it, each envelope it shows, and the rest
/// of its run as one line.
void append_lines(const TapEntry& entry, std::vector<TailLine>& lines);

}  // namespace zpost::inspect
