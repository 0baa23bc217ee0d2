// What a filter is asked about: an envelope, or a run of them, and what became of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "protocol/filter/shown_envelope.h"
#include "zpost/protocol/msgpack_reader.h"
#include "zpost/protocol/outcomes.h"
#include "zpost/protocol/tap_record.h"

namespace zpost::filter {

/// Views are only read during the call they are given to.
struct Subject {
  TapEvent event = TapEvent::kReceived;
  std::string_view from = {};    // Of a session: whose. Empty: the broker.
  std::string_view to = {};      // A peer, a topic or a service, as the kind says.
  std::uint8_t kind_number = 0;  // 0: not known; of a session: none.
  std::uint64_t first_id = 0;    // 0: none.
  std::uint64_t last_id = 0;
  std::uint64_t count = 0;  // Of envelopes.
  std::uint64_t bytes = 0;  // Of all of them.
  Outcome outcome = Outcome::kNone;
  std::optional<HeldWhy> held = {};
  std::optional<SessionChange> change = {};
  std::uint64_t queues = 0;   // 0: none, as for what follows.
  std::uint64_t attempt = 0;  // Of a call.
  std::optional<std::uint64_t> latency_ns = {};
  const ShownEnvelope* envelope = nullptr;  // Meta and body, if they are there.

  /// Somebody else looked into the envelope, or knows the latency. What cannot be told here may
  /// then be true; otherwise it is unknown, which is not true.
  bool envelope_elsewhere = false;
  bool latency_elsewhere = false;
  /// Somebody else may be shown the envelopes of the run one by one.
  bool unfolds_elsewhere = false;
};

/// What the record says, for the broker: `unfolds_elsewhere` is set.
[[nodiscard]] Subject subject_of(const TapRecord& record, std::string_view from,
                                 std::string_view to);

}  // namespace zpost::filter
