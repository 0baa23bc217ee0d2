// Checks at start what the broker relies on beyond libzmq's documentation.
#pragma once

#include "zpost/protocol/result.h"

namespace zpost::net {

/// That messages tell their descriptor (ZMQ_SRCFD, deprecated), the same as the monitor's, and that
/// the messages of one connection share their properties. Takes a few milliseconds. Error: what
/// does not hold, for people.
[[nodiscard]] Result<void> self_test(void* context);

}  // namespace zpost::net
