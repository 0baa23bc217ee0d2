// Whether the broker is alive, and whether it is of use to peers.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "broker/admin/snapshot.h"

namespace zpost::admin {

struct Health {
  bool good = false;
  std::string text;  // "ok", or why not; one line.
};

/// Alive: the routing thread told of itself. `age`: how long it has not, if it did not.
[[nodiscard]] Health health(const std::optional<Snapshot>& snapshot, std::chrono::milliseconds age);

/// Ready: alive, takes hellos, and waits for nobody from before a restart (docs/adr/0005).
[[nodiscard]] Health readiness(const std::optional<Snapshot>& snapshot,
                               std::chrono::milliseconds age);

}  // namespace zpost::admin
