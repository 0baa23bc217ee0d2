#include "broker/admin/families.h"

#include <array>
#include <limits>
#include <string_view>
#include <utility>

#include "zpost/protocol/kinds.h"
#include "zpost/protocol/outcomes.h"

namespace zpost::admin {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

/// Collects families; each is followed by its samples.
class Builder {
 public:
  void family(MetricType type, std::string name, std::string help) {
    families_.push_back({std::move(name), std::move(help), type, {}});
  }

  void sample(double value, Labels labels = {}) {
    ClientMetric metric;
    metric.label = std::move(labels);
    metric.counter.value = metric.gauge.value = value;
    families_.back().metric.push_back(std::move(metric));
  }

  void sample(std::uint64_t value, Labels labels = {}) {
    sample(static_cast<double>(value), std::move(labels));
  }

  void sample(const core::LatencyHistogram& times, Labels labels) {
    using core::LatencyHistogram;
    ClientMetric metric;
    metric.label = std::move(labels);
    ClientMetric::Histogram& histogram = metric.histogram;
    for (std::size_t i = 0; i <= LatencyHistogram::kBounds.size(); ++i) {
      histogram.sample_count += times.count(i);
      const double bound = i < LatencyHistogram::kBounds.size()
                               ? static_cast<double>(LatencyHistogram::kBounds[i]) / 1e9
                               : std::numeric_limits<double>::infinity();
      histogram.bucket.push_back({histogram.sample_count, bound});
    }
    histogram.sample_sum = times.seconds();
    families_.back().metric.push_back(std::move(metric));
  }

  template <typename Value>
  void counter(std::string name, std::string help, Value value) {
    family(MetricType::Counter, std::move(name), std::move(help));
    sample(value);
  }

  template <typename Value>
  void gauge(std::string name, std::string help, Value value) {
    family(MetricType::Gauge, std::move(name), std::move(help));
    sample(value);
  }

  [[nodiscard]] std::vector<MetricFamily> take() { return std::move(families_); }

 private:
  std::vector<MetricFamily> families_;
};

/// A sample for each outcome that there is from `first` to `last`, zeros included: a rate can be
/// taken of the first failure, too.
void add_by_outcome(Builder& out, const char* label,
                    const std::array<std::uint64_t, kOutcomeTableSize>& counts, Outcome first,
                    Outcome last) {
  for (auto code = static_cast<std::size_t>(first); code <= static_cast<std::size_t>(last);
       ++code) {
    const std::string_view name = outcome_name(static_cast<Outcome>(code));
    if (name != "unknown") out.sample(counts[code], {{label, std::string(name)}});
  }
}

void add_info(Builder& out, const BuildInfo& info) {
  out.family(MetricType::Gauge, "zpost_build_info", "Always 1; its labels say which broker it is.");
  out.sample(1.0, {{"version", info.version}, {"name", info.name}, {"run", info.run}});
}

void add_envelopes(Builder& out, const core::Accounting& counts) {
  out.counter("zpost_envelopes_received_total", "Payload envelopes received from peers.",
              counts.received);
  out.counter("zpost_envelopes_copied_total",
              "Extra copies of a fan-out, and what the broker itself sent.", counts.copies);
  out.counter("zpost_envelopes_delivered_total", "Envelopes a recipient took and acknowledged.",
              counts.delivered);
  out.counter("zpost_envelopes_unconfirmed_total",
              "Envelopes handed to recipients that do not acknowledge.", counts.unconfirmed);
  out.gauge("zpost_envelopes_held", "Envelopes that wait or are not acknowledged yet.",
            counts.held);
  out.family(MetricType::Counter, "zpost_envelopes_failed_total",
             "Envelopes that failed, by outcome.");
  add_by_outcome(out, "outcome", counts.failed_by, Outcome::kDuplicate, Outcome::kOverRate);
  out.counter("zpost_exchanges_failed_total",
              "Requests and calls that were taken, or may have been, and ended without a reply.",
              counts.exchanges_failed);
  out.counter("zpost_late_replies_total",
              "Replies to what was not open, or not the replier's to answer.", counts.late_replies);
}

void add_latencies(Builder& out, const core::Latencies& latencies) {
  out.family(MetricType::Histogram, "zpost_delivery_seconds",
             "Time from an envelope's arrival until its recipient took it, by kind.");
  for (const Kind kind : {Kind::kSend, Kind::kRequest, Kind::kReply, Kind::kPublish, Kind::kCall}) {
    out.sample(latencies.delivery(kind), {{"kind", std::string(kind_name(kind))}});
  }
  out.family(MetricType::Histogram, "zpost_exchange_seconds",
             "Time from the arrival of a request or call until its last reply.");
  out.sample(latencies.request, {{"kind", "request"}});
  out.sample(latencies.call, {{"kind", "call"}});
}

void add_peers(Builder& out, const core::Metrics& core) {
  out.family(MetricType::Gauge, "zpost_peers", "Peers, by state.");
  out.sample(core.active, {{"state", "active"}});
  out.sample(core.away, {{"state", "away"}});
  out.sample(core.expected, {{"state", "expected"}});
  out.counter("zpost_sessions_total", "Sessions begun; a resumed one is not counted again.",
              core.tally.sessions);
  out.family(MetricType::Counter, "zpost_refusals_total",
             "Hellos and frames of strangers that were refused, by code.");
  add_by_outcome(out, "code", core.tally.refused_by, Outcome::kDuplicate, Outcome::kTimedOut);
  out.counter("zpost_violations_total", "Violations of the protocol by peers.",
              core.tally.violations);
  out.counter("zpost_receipts_total", "Receipts sent.", core.tally.receipts);
  out.gauge("zpost_inspectors", "Peers that watch or recall what the broker does.",
            core.inspectors);
}

void add_queues(Builder& out, const core::Metrics& core) {
  out.family(MetricType::Gauge, "zpost_queue_bytes",
             "Bytes for peers: waiting, or handed over and not acknowledged.");
  out.sample(core.waiting_bytes, {{"state", "waiting"}});
  out.sample(core.unacknowledged_bytes, {{"state", "unacknowledged"}});
  out.gauge("zpost_unacknowledged_envelopes",
            "Envelopes handed over and not acknowledged, presence and marks included.",
            core.unacknowledged);
  out.gauge("zpost_queued_peers", "Peers for whom something waits.", core.peers_with_queue);
  out.gauge("zpost_fullest_queue_bytes", "The most bytes that wait for any one peer.",
            core.fullest_queue_bytes);
  out.gauge("zpost_held_bytes", "Bytes the broker holds for peers.", core.held_bytes);
  out.gauge("zpost_granted_bytes", "Credit granted to peers.", core.granted_bytes);
  out.gauge("zpost_memory_limit_bytes", "The configured limits.memory.", core.memory_limit);
}

void add_groups(Builder& out, const core::Metrics& core) {
  out.gauge("zpost_subscriptions", "Subscriptions of all peers.", core.subscriptions);
  out.gauge("zpost_retained_topics", "Topics with a retained value.", core.retained);
  out.gauge("zpost_retained_bytes", "Bytes of retained values.", core.retained_bytes);
  out.gauge("zpost_services", "Services with workers or calls.", core.services);
  out.gauge("zpost_workers", "Offers of services.", core.workers);
  out.gauge("zpost_waiting_calls", "Calls that wait for a worker.", core.waiting_calls);
  out.gauge("zpost_open_exchanges", "Requests and calls without a reply yet.", core.open_exchanges);
}

void add_loop(Builder& out, const Snapshot& snapshot) {
  out.counter("zpost_turns_total", "Turns of the routing loop.", snapshot.turns);
  out.counter("zpost_frames_received_total", "Frames read from peers.", snapshot.frames_received);
  out.counter("zpost_received_bytes_total", "Bytes of those frames.", snapshot.bytes_received);
  out.counter("zpost_frames_sent_total", "Frames handed over for peers.", snapshot.frames_sent);
  out.counter("zpost_sent_bytes_total", "Bytes of those frames.", snapshot.bytes_sent);
}

void add_recorder(Builder& out, const Snapshot& snapshot) {
  out.gauge("zpost_recorder_limit_bytes", "The configured recorder.memory; 0: nothing is recorded.",
            snapshot.recorder_limit);
  out.gauge("zpost_recorder_bytes", "Bytes the flight recorder holds.", snapshot.recorder_bytes);
  out.gauge("zpost_recorder_records", "Records the flight recorder holds.",
            snapshot.recorder_records);
  out.gauge("zpost_recorder_reach_seconds", "How far back the flight recorder goes.",
            static_cast<double>(snapshot.recorder_reach_ns) / 1e9);
  out.counter("zpost_tap_missed_records_total",
              "Records lost because the tap could not keep up with routing.",
              snapshot.missed_records);
}

void add_process(Builder& out, const ProcessStats& process) {
  out.counter("process_cpu_seconds_total", "User and system CPU time used, in seconds.",
              process.cpu_seconds);
  out.gauge("process_resident_memory_bytes", "Resident memory, in bytes.", process.resident_bytes);
  out.gauge("process_virtual_memory_bytes", "Virtual memory, in bytes.", process.virtual_bytes);
  out.gauge("process_start_time_seconds", "Start of the process, in seconds since 1970.",
            process.start_time_seconds);
  out.gauge("process_open_fds", "Open file descriptors.", process.open_fds);
  out.gauge("process_max_fds", "The limit of open file descriptors.", process.max_fds);
  out.gauge("process_threads", "Threads of the process.", process.threads);
}

}  // namespace

std::vector<MetricFamily> families(const BuildInfo& info, const Snapshot& snapshot,
                                   const ProcessStats& process) {
  Builder out;
  add_info(out, info);
  add_envelopes(out, snapshot.core.accounting);
  add_latencies(out, snapshot.core.latencies);
  add_peers(out, snapshot.core);
  add_queues(out, snapshot.core);
  add_groups(out, snapshot.core);
  add_loop(out, snapshot);
  add_recorder(out, snapshot);
  add_process(out, process);
  return out.take();
}

}  // namespace zpost::admin
