// Base64 for bytes in JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "zpost/protocol/msgpack_reader.h"
#include "zpost/protocol/msgpack_writer.h"

namespace zpost::cli {

/// RFC 4648, section 4, with padding.
[[nodiscard]] std::string base64(Bytes bytes);

/// The bytes that base64() made `text` of. Nothing: it makes no such text.
[[nodiscard]] std::optional<ByteBuffer> bytes_from_base64(std::string_view text);

}  // namespace zpost::cli
