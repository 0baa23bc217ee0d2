#include "broker/core/metrics.h"

#include <algorithm>

#include "broker/core/router_impl.h"

namespace zpost::core {

/// Looks at every session, but at nothing in it that grows.
Metrics Router::Impl::metrics() const {
  Metrics all;
  all.accounting = accounting;
  all.tally = tally_;
  all.latencies = latencies_;
  all.expected = expected_count;
  all.inspectors = inspectors_;
  all.held_bytes = held_bytes;
  all.granted_bytes = reserved_;
  all.memory_limit = limits.memory;
  all.subscriptions = routes_.size();
  all.retained = retained_.size();
  all.retained_bytes = retained_bytes_;
  all.services = services_.size();
  all.waiting_calls = waiting_calls;
  all.open_exchanges = exchanges_.size();
  for (const auto& session : sessions_) {
    if (session != nullptr) add_session(*session, all);
  }
  return all;
}

void Router::Impl::add_session(const Session& session, Metrics& all) {
  if (session.state == Session::State::kActive) ++all.active;
  if (session.state == Session::State::kAway) ++all.away;
  all.workers += session.offers.size();
  const Stream& stream = session.stream;
  const std::uint64_t waiting = stream.bytes - stream.handed_bytes + session.topics.bytes;
  all.waiting_bytes += waiting;
  all.unacknowledged_bytes += stream.handed_bytes;
  all.unacknowledged += stream.handed_count - stream.acked;
  if (waiting > 0) ++all.peers_with_queue;
  all.fullest_queue_bytes = std::max(all.fullest_queue_bytes, waiting);
}

Metrics Router::metrics() const {
  return impl_->metrics();
}

}  // namespace zpost::core
