// Starts a zpost-broker for a run.
#pragma once

#include <string>
#include <vector>

#include "tools/bench/server.h"

namespace zpost::bench {

/// A fresh broker on a free loopback port, its state in the run's folder. `extra` are further
/// arguments. Throws as launch_program().
Server launch_zpost_broker(const std::vector<std::string>& extra);

}  // namespace zpost::bench
