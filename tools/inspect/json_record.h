// One line of a capture in JSON, as the record it was made of. Pure.
#pragma once

#include <string_view>

#include "tools/inspect/tap_reader.h"
#include "zpost/protocol/msgpack_writer.h"
#include "zpost/protocol/result.h"

namespace zpost::inspect {

struct JsonRecord {
  TapEntry entry;  // `shown` is for the caller to set: it is in the buffer.
  bool redacted = false;
};

/// Reads what tail_json() writes; keys that it does not know are passed over. The envelope, if the
/// line has one, is written anew into `shown`, which is emptied before: with what the line says of
/// its meta. Error: names the key and what is wrong with it.
[[nodiscard]] Result<JsonRecord> record_from_json(std::string_view line, ByteBuffer& shown);

}  // namespace zpost::inspect
