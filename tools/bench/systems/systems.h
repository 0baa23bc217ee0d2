// All systems the bench knows.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/bench/system.h"

namespace zpost::bench {

/// Every system, the ones that cannot run here included, in the order of the tables.
std::vector<std::unique_ptr<System>> all_systems();

/// zpost with its client library; the program hands over spans, or one payload a call.
std::unique_ptr<System> make_zpost_spans();
std::unique_ptr<System> make_zpost_singles();
/// zpost with plain DEALER clients that send one envelope a frame and acknowledge nothing.
std::unique_ptr<System> make_zpost_simple();

std::unique_ptr<System> make_nats();
std::unique_ptr<System> make_redis();
std::unique_ptr<System> make_mosquitto();

/// A plain ROUTER forwarder whose sockets, and those of its clients, have this high-water mark.
std::unique_ptr<System> make_bare_router(int high_water_mark);

/// Copies bytes between two connections: the floor for round trips.
std::unique_ptr<System> make_tcp_relay();

/// Stands in for a system that this build cannot measure.
std::unique_ptr<System> make_not_built_in(const std::string& name, const std::string& library);

/// For System::unavailable(): says so if `name` is not installed.
std::optional<std::string> missing_program(const std::string& name);

}  // namespace zpost::bench
