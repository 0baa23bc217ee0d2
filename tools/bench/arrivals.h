// Waiting for what senders sent to arrive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "tools/bench/run.h"
#include "tools/bench/shared_memory.h"
#include "tools/bench/stream.h"

namespace zpost::bench {

using Streams = SharedArray<StreamCounts>;

/// Of all streams together: intact, each once.
std::uint64_t all_received(const Streams& streams);

/// Blocks until every stream is complete, or `senders` have ended and nothing has arrived for some
/// seconds: what is missing is lost then. Calls `look` before each look. Throws RunFailure,
/// RunTimedOut at the end of the run, Interrupted.
void await_arrivals(Stage& stage, const std::vector<std::size_t>& senders, const Streams& streams,
                    const std::function<void()>& look);

}  // namespace zpost::bench
