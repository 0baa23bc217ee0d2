// MessagePack that others wrote, as JSON.
#pragma once

#include <optional>

#include "peer/cli/shared/json_fwd.h"
#include "zpost/protocol/msgpack_reader.h"

namespace zpost::cli {

/// The one value that `bytes` hold, all of them. Keys that are no text are written as JSON, a
/// key that comes twice stays twice; bin is base64, ext `{"ext": type, "data": base64}`. Nothing:
/// not exactly one value, nested deeper than 32, or no memory. Bounded work and memory for any
/// bytes.
[[nodiscard]] std::optional<Json> json_from_msgpack(Bytes bytes);

}  // namespace zpost::cli
