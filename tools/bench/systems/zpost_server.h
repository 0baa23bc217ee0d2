// Starts a zpost-broker for a run.
#pragma once

#include <string>
#include <vector>

#include "tools/bench/server.h"
#include "tools/bench/system.h"

namespace zpost::bench {

/// The broker's arguments for `limits`. Who is quiet is asked for a sign of life five times before
/// it counts as away, and at least every five seconds.
std::vector<std::string> arguments_for(const Limits& limits);

/// A fresh broker on a free loopback port, its state in the run's folder. `extra` are further
/// arguments. Throws as launch_program().
Server launch_zpost_broker(const std::vector<std::string>& extra);

}  // namespace zpost::bench
