#include "tools/inspect/tail_filter.h"

namespace zpost::inspect {

filter::Subject subject_of(const TailLine& line) {
  filter::Subject subject{.event = line.event,
                          .from = line.from,
                          .to = line.to,
                          .kind_number = line.kind_number,
                          .first_id = line.first_id,
                          .last_id = line.last_id,
                          .count = line.count,
                          .bytes = line.bytes,
                          .outcome = line.outcome,
                          .held = line.held,
                          .queues = line.queues,
                          .attempt = line.attempt};
  if (line.event == TapEvent::kSession) subject.change = line.change;
  if (line.envelope) subject.envelope = &*line.envelope;
  return subject;
}

bool TailFilter::wants(TailLine& line) {
  const bool known = kinds_.learn_or_tell(line);
  if (line.event == TapEvent::kMissed) return true;
  filter::Subject subject = subject_of(line);
  if (judged_ == Judged::kBefore) {
    subject.latency_elsewhere = true;
    // The broker looked into what it received, and told those only that are wanted.
    subject.envelope_elsewhere = line.event == TapEvent::kReceived;
  }
  latencies_.learn_or_tell(subject, line.time_ns);
  line.latency_ns = subject.latency_ns;
  if (!known && by_kind_) return false;
  if (!events_.empty() && !events_.contains(line.event)) return false;
  return !filter_ || filter_->wants(subject);
}

}  // namespace zpost::inspect
