// Lines of `tail` for programs. Pure.
#pragma once

#include <string>

#include "peer/cli/shared/json_fwd.h"
#include "tools/inspect/tail_line.h"

namespace zpost::inspect {

/// Adds what became of the envelopes: the keys that depend on the event.
void put_fate(cli::Json& json, const TailLine& line);

/// Adds meta and body: the keys that an envelope has by itself.
void put_envelope(cli::Json& json, const ShownEnvelope& envelope);

/// Adds the body as a protobuf message.
void put_protobuf(cli::Json& json, const ProtobufBody& body);

/// One object with a line feed.
[[nodiscard]] std::string tail_json(const TailLine& line);

}  // namespace zpost::inspect
