// The system has no more of something: descriptors, threads, memory.
#pragma once

#include <system_error>

#include "zpost/peer/message.h"

namespace zpost::peer {

/// Whether an errno of the system or of libzmq means that.
[[nodiscard]] bool is_exhaustion(int number);

/// Throws std::system_error if the process may not open `count` more descriptors now.
void require_descriptors(int count);

/// What it means for whoever connects: names what is missing, and the limit.
[[nodiscard]] Failure exhausted(const std::system_error& error);

}  // namespace zpost::peer
