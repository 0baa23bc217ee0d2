// A tap record as a capture file keeps it: whole in itself. docs/capture.md, "A record". Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "zpost/protocol/msgpack_writer.h"
#include "zpost/protocol/result.h"
#include "zpost/protocol/tap_record.h"

namespace zpost::capture {

/// The record's `from`, `to` and `extra` are the lengths of what stands here. Views.
struct Record {
  TapRecord record;
  std::string_view from = {};
  std::string_view to = {};
  Bytes shown = {};       // The beginning of the run's envelopes.
  bool redacted = false;  // `shown` is not what the broker had.
};

/// Appends the packet of a record: the tags of an exported PDU for the dissector `zpost`, and the
/// record.
void append_packet_data(ByteBuffer& buffer, const Record& record);

/// Whether the packet is one for the dissector `zpost`; `data` then begins behind the tags.
[[nodiscard]] bool strip_tags(Bytes& data);

/// Reads what follows the tags. The views point into `data`. Error: what is wrong.
[[nodiscard]] Result<Record> read_record(Bytes data);

}  // namespace zpost::capture
