#include "protocol/filter/subject.h"

namespace zpost::filter {

Subject subject_of(const TapRecord& record, std::string_view from, std::string_view to) {
  Subject subject{.event = record.event,
                  .from = from,
                  .to = to,
                  .kind_number = static_cast<std::uint8_t>(record.kind & 0x7fU),
                  .first_id = record.first_id,
                  .last_id = record.last_id,
                  .count = record.count,
                  .bytes = record.bytes,
                  .unfolds_elsewhere = true};
  switch (record.event) {
    case TapEvent::kSession:
      subject.change = static_cast<SessionChange>(record.code);
      subject.outcome = static_cast<Outcome>(record.first_id);
      subject.first_id = subject.last_id = 0;
      break;
    case TapEvent::kHeld:
      subject.held = static_cast<HeldWhy>(record.code);
      break;
    case TapEvent::kForwarded:
      subject.queues = record.code;
      break;
    case TapEvent::kAssigned:
      subject.attempt = record.code;
      break;
    case TapEvent::kAnswered:
      // The other id is the reply's.
      subject.last_id = subject.first_id;
      subject.outcome = static_cast<Outcome>(record.code);
      break;
    default:
      subject.outcome = static_cast<Outcome>(record.code);
      break;
  }
  return subject;
}

}  // namespace zpost::filter
