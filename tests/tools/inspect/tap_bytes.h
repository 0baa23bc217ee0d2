// Tap bodies for tests.
#pragma once

#include <cstring>
#include <string_view>

#include "zpost/protocol/msgpack_writer.h"
#include "zpost/protocol/tap_record.h"

namespace zpost::inspect {

/// Appends a record with its extra bytes, padded as on the wire.
inline void append_record(ByteBuffer& body, TapRecord record, Bytes extra = {}) {
  record.extra = static_cast<std::uint32_t>(extra.size());
  const std::size_t begin = body.size();
  body.resize(begin + sizeof record + (extra.size() + 7) / 8 * 8);
  std::memcpy(body.data() + begin, &record, sizeof record);
  if (!extra.empty()) std::memcpy(body.data() + begin + sizeof record, extra.data(), extra.size());
}

inline void append_name(ByteBuffer& body, std::uint64_t sequence, std::uint32_t number,
                        std::string_view name) {
  TapRecord record;
  record.event = TapEvent::kName;
  record.sequence = sequence;
  record.from = number;
  append_record(body, record, as_bytes(name));
}

}  // namespace zpost::inspect
