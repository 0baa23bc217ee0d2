// One line of `tail`, before anybody decides how it looks. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tools/inspect/protobuf_body.h"
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
  // Failed, delivered, answered without a reply; why a session is over.
  Outcome outcome = Outcome::kNone;
  std::optional<HeldWhy> held = {};     // kHeld only.
  std::uint64_t queues = 0;             // Of a forwarded publish; 0: it is none.
  bool again = false;                   // Forwarded once more, over a new connection.
  bool redacted = false;                // The envelope is not what the broker had.
  std::optional<FlowChange> flow = {};  // kFlow only.
  std::optional<AdminOp> op = {};       // kAsked only.
  std::uint64_t attempt = 0;            // kAssigned only.
  std::uint64_t reply_id = 0;           // kAnswered only; 0: there was no reply.
  SessionChange change = SessionChange::kJoined;
  std::optional<std::uint64_t> latency_ns = {};  // Since it was received, where that is known.
  std::uint64_t missed = 0;                      // kMissed only.
  std::optional<ShownEnvelope> envelope = {};    // Borrowed from the tap's body.
  std::optional<std::string> decoded = {};       // Its body on one line, if not as usual;
  std::vector<std::string> tree = {};            // in rows, if wanted.
  std::optional<ProtobufBody> protobuf = {};     // As JSON has it.
};

/// "received", "session", …; "unknown" for other numbers.
[[nodiscard]] std::string_view event_name(TapEvent event);
[[nodiscard]] std::optional<TapEvent> event_from_name(std::string_view name);
/// Whether a user may ask for it: the others are the tap's own affairs.
[[nodiscard]] bool is_asked_for(TapEvent event);
/// All that a user may ask for.
[[nodiscard]] std::set<TapEvent> all_events();
/// The names of events a user may ask for, with commas between them.
[[nodiscard]] std::string event_names();
/// "window-full", "away", …
[[nodiscard]] std::string_view held_name(HeldWhy why);
/// "stalled" or "goes-on".
[[nodiscard]] std::string_view flow_name(FlowChange change);
/// "who", "stats", …
[[nodiscard]] std::string_view op_name(AdminOp op);
/// "joined", "away", …
[[nodiscard]] std::string_view change_name(SessionChange change);

/// Appends the lines of a record: what was missed before it, each envelope it shows, and the rest
/// of its run as one line.
void append_lines(const TapEntry& entry, std::vector<TailLine>& lines);

}  // namespace zpost::inspect
