// poll(2) with a deadline.
#pragma once

#include <poll.h>

#include <cstddef>

#include "peer/src/clock.h"

namespace zpost::peer {

/// Returns when a descriptor is ready, at the deadline, or at a signal.
void poll_until(pollfd* descriptors, std::size_t count, Time deadline);

}  // namespace zpost::peer
