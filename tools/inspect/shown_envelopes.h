// The envelopes whose beginning a tap record shows. Pure.
#pragma once

#include <vector>

#include "protocol/filter/shown_envelope.h"
#include "zpost/protocol/msgpack_reader.h"

namespace zpost::inspect {

using zpost::ShownEnvelope;

/// All of which at least the header is there.
[[nodiscard]] std::vector<ShownEnvelope> shown_envelopes(Bytes shown);

}  // namespace zpost::inspect
