#include "broker/tap/recall.h"

#include <algorithm>
#include <utility>

namespace zpost::tap {

namespace {

/// What a block can be asked for: it knows names, not patterns.
std::string_view exact(const std::string& pattern) {
  return pattern.ends_with('*') ? std::string_view() : pattern;
}

}  // namespace

Recall::Recall(core::RecallWish wish, Recorder& recorder, std::optional<filter::Filter> program)
    : wish_(std::move(wish)), program_(std::move(program)), packer_({}, Listener::kMaxRecalled) {
  recorder.seal();
  next_ = recorder.first_block();
  end_ = recorder.end_block();
  position_ = recorder.records_before(next_);
  end_position_ = recorder.records_before(end_);
}

bool Recall::go_on(const Recorder& recorder) {
  for (int i = 0; i < kBlocksAtOnce && !over_; ++i) {
    if (packer_.staged() >= Listener::kMaxBody) return i > 0;
    if (next_ < recorder.first_block()) {
      const std::uint64_t there = recorder.records_before(recorder.first_block());
      next_ = std::min(recorder.first_block(), end_);
      packer_.lose(std::min(there, end_position_) - position_);
      position_ = std::min(there, end_position_);
    }
    if (next_ >= end_) {
      finish(recorder);
    } else {
      read(recorder, next_++);
      position_ = recorder.records_before(next_);
    }
  }
  return true;
}

void Recall::read(const Recorder& recorder, std::uint64_t serial) {
  const core::TapFilter& filter = wish_.filter;
  if (!recorder.overlaps(serial, wish_.since_ns, wish_.until_ns)) return;
  // Of sessions it wants to know whatever their envelopes' ids are.
  const bool ids = wish_.id && !recorder.may_have(serial, exact(filter.from), *wish_.id);
  if (ids && !recorder.has_sessions(serial)) return;
  packer_.forget_names();  // They are the block's own.
  recorder.read(serial, [&](const Recorder::Found& found) {
    filter::Subject subject = filter::subject_of(found.record, found.from.name, found.to.name);
    if (program_ && program_->asks_for_latency()) {
      latencies_.learn_or_tell(subject, found.record.time_ns);
    }
    if (!wish_.wants(found.record, found.from.name, found.to.name)) return;
    if (found.record.event == TapEvent::kMissed) return packer_.lose(found.record.missed);
    if (program_ && !program_->wants(subject)) return;
    ++told_;
    packer_.offer(found.record, found.from, found.to, {});
  });
}

void Recall::finish(const Recorder& recorder) {
  TapRecord record;
  record.event = TapEvent::kEnd;
  record.time_ns = recorder.newest_ns();
  record.first_id = recorder.oldest_ns();
  record.last_id = told_;
  packer_.offer(record, {}, {}, {});
  over_ = true;
}

}  // namespace zpost::tap
