#include "tools/inspect/snapshot_file.h"

#include <algorithm>

namespace zpost::inspect {

Result<void> SnapshotFile::add_recalled(const TapEntry& entry, std::uint64_t now_ns) {
  remember(entry);
  return add(entry, now_ns);
}

Result<void> SnapshotFile::add_live(const TapEntry& entry, std::uint64_t now_ns) {
  if (!is_live_ && was_told(entry)) return {};
  is_live_ = true;
  return add(entry, now_ns);
}

Result<void> SnapshotFile::add(const TapEntry& entry, std::uint64_t now_ns) {
  if (entry.record.event == TapEvent::kMissed || !choice_.wants(entry)) {
    if (entry.missed == 0) return {};
    TapEntry missed{.record = {}, .from = "", .to = "", .missed = entry.missed};
    missed.record.event = TapEvent::kMissed;
    missed.record.sequence = entry.record.sequence;
    missed.record.time_ns = entry.record.time_ns;
    missed.record.missed = entry.missed;
    return write(missed, false, now_ns);
  }
  const bool redacted = redactor_.apply(entry, redacted_);
  return write(redacted ? redacted_ : entry, redacted, now_ns);
}

Result<void> SnapshotFile::write(const TapEntry& entry, bool redacted, std::uint64_t now_ns) {
  if (!is_begun_) {
    if (const auto begun = writer_.open(now_ns); !begun) return begun;
    is_begun_ = true;
  }
  return writer_.add(entry, redacted, now_ns);
}

void SnapshotFile::remember(const TapEntry& entry) {
  newest_ns_ = std::max(newest_ns_, entry.record.time_ns);
  latest_.push_back({entry.record, entry.from, entry.to});
  if (latest_.size() > kMostTold) latest_.pop_front();
}

/// The recorder merges neighbours where the tap may not: a run has the time of its first envelope,
/// so that the tap's records of the others are later and known only by their ids.
bool SnapshotFile::was_told(const TapEntry& entry) const {
  if (entry.record.time_ns < newest_ns_) return true;
  return std::ranges::any_of(latest_, [&entry](const Told& told) {
    return told.record.event == entry.record.event && told.from == entry.from &&
           told.to == entry.to && has_id(told.record, entry.record.first_id);
  });
}

}  // namespace zpost::inspect
