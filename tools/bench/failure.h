// How a run ends that cannot go on.
#pragma once

#include <stdexcept>

namespace zpost::bench {

/// Ends a run, not the bench. The message is one line for people.
struct RunFailure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The run took longer than it may.
struct RunTimedOut : RunFailure {
  using RunFailure::RunFailure;
};

}  // namespace zpost::bench
