// Records of a capture for tests, as a broker would have told them.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "tools/inspect/tap_reader.h"
#include "zpost/protocol/envelope.h"

namespace zpost::inspect {

inline constexpr std::uint64_t kRecordedAt = 1'767'225'600'000'000'000;
inline constexpr std::uint64_t kRecordedMs = 1'000'000;

/// Keeps the bytes that its entries show.
class RecordedEntries {
 public:
  /// One envelope as it was received, `ms` after the recording began.
  const TapEntry& received(std::uint64_t ms, const EnvelopeFields& fields) {
    ByteBuffer& bytes = buffers_.emplace_back();
    append_envelope(bytes, fields);
    TapEntry& made = add(ms, TapEvent::kReceived, fields.kind, fields.id);
    made.from = fields.from;
    made.to = fields.kind == Kind::kCall ? "@" + std::string(fields.to) : std::string(fields.to);
    made.record.bytes = static_cast<std::uint32_t>(bytes.size());
    made.shown = bytes;
    return made;
  }

  const TapEntry& ended(std::uint64_t ms, TapEvent event, Kind kind, std::uint64_t id,
                        Outcome outcome) {
    TapEntry& made = add(ms, event, kind, id);
    made.from = "alice";
    made.to = "bob";
    made.record.bytes = 40;
    made.record.code = static_cast<std::uint16_t>(outcome);
    return made;
  }

  /// Alice's request has bob's reply.
  const TapEntry& answered(std::uint64_t ms, std::uint64_t id, std::uint64_t reply) {
    TapEntry& made = add(ms, TapEvent::kAnswered, Kind::kRequest, id);
    made.from = "alice";
    made.to = "bob";
    made.record.last_id = reply;
    return made;
  }

  const TapEntry& session(std::uint64_t ms, const std::string& name, SessionChange change) {
    TapEntry& made = add(ms, TapEvent::kSession, Kind{}, 0);
    made.from = name;
    made.record.code = static_cast<std::uint16_t>(change);
    return made;
  }

 private:
  TapEntry& add(std::uint64_t ms, TapEvent event, Kind kind, std::uint64_t id) {
    TapEntry& made = entries_.emplace_back();
    made.record.event = event;
    made.record.kind = static_cast<std::uint8_t>(kind);
    made.record.time_ns = kRecordedAt + ms * kRecordedMs;
    made.record.first_id = made.record.last_id = id;
    made.record.count = 1;
    return made;
  }

  std::deque<ByteBuffer> buffers_;
  std::deque<TapEntry> entries_;
};

inline EnvelopeFields recorded_fields(Kind kind, std::uint64_t id, std::string_view body) {
  return {.kind = kind, .to = "bob", .from = "alice", .id = id, .body = as_bytes(body)};
}

inline EnvelopeFields recorded_reply(std::uint64_t id, std::uint64_t to, std::string_view body) {
  return {.kind = Kind::kReply,
          .to = "alice",
          .from = "bob",
          .id = id,
          .meta = {.in_reply_to = to},
          .body = as_bytes(body)};
}

}  // namespace zpost::inspect
