// Base64 for bytes in JSON.
#pragma once

#include <string>

#include "zpost/protocol/msgpack_reader.h"

namespace zpost::cli {

/// RFC 4648, section 4, with padding.
[[nodiscard]] std::string base64(Bytes bytes);

}  // namespace zpost::cli
