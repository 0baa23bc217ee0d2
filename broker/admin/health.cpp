#include "broker/admin/health.h"

#include <fmt/format.h>

namespace zpost::admin {

Health health(const std::optional<Snapshot>& snapshot, std::chrono::milliseconds age) {
  if (snapshot) return {true, "ok"};
  return {false, fmt::format("the routing thread has not turned when asked, and last did {:.1f} s "
                             "ago: it is stuck or far behind",
                             std::chrono::duration<double>(age).count())};
}

Health readiness(const std::optional<Snapshot>& snapshot, std::chrono::milliseconds age) {
  if (!snapshot) return health(snapshot, age);
  if (snapshot->phase == Snapshot::Phase::kStopping) {
    return {false, fmt::format("stopping: {} peers have not taken everything yet",
                               snapshot->core.active + snapshot->core.away)};
  }
  if (snapshot->core.expected > 0) {
    return {false, fmt::format("restarted: mail waits for {} peers of the run before that are not "
                               "back yet",
                               snapshot->core.expected)};
  }
  return {true, "ok"};
}

}  // namespace zpost::admin
