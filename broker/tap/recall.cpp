#include "broker/tap/recall.h"

#include <algorithm>
#include <utility>

namespace zpost::tap {

namespace {

/// What a block can be asked for: it knows names, not patterns.
std::string_view exact(const std::string& pattern) {
  return pattern.ends_with('*') ? std::string_view() : pattern;
}

/// What is refused at once is not told as received.
bool begins_story(const TapRecord& record) {
  return record.event == TapEvent::kReceived || record.event == TapEvent::kFailed;
}

}  // namespace

Recall::Recall(core::RecallWish wish, Recorder& recorder, std::optional<filter::Filter> program)
    : wish_(std::move(wish)), program_(std::move(program)), packer_({}, Listener::kMaxRecalled) {
  recorder.seal();
  next_ = recorder.first_block();
  end_ = recorder.end_block();
  position_ = recorder.records_before(next_);
  end_position_ = recorder.records_before(end_);
  seeking_ = wish_.latest > 0;
  seek_ = end_;
}

bool Recall::go_on(const Recorder& recorder) {
  for (int i = 0; i < kBlocksAtOnce && !over_; ++i) {
    if (seeking_) {
      seek(recorder);
      continue;
    }
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

/// Whether the block may have what is wanted.
bool Recall::is_of_interest(const Recorder& recorder, std::uint64_t serial) const {
  const std::string_view from = exact(wish_.filter.from);
  if (!recorder.overlaps(serial, wish_.since_ns, wish_.until_ns)) return false;
  // Of sessions it wants to know whatever their envelopes' ids are.
  if (!seeking_ && recorder.has_sessions(serial)) return true;
  if (wish_.id) return recorder.may_have(serial, from, *wish_.id);
  return from.empty() || recorder.has_sender(serial, from);
}

/// Looks at the block before: the latest are found from the end.
void Recall::seek(const Recorder& recorder) {
  if (seek_ <= std::max(recorder.first_block(), next_)) {
    seeking_ = false;
    return;
  }
  const std::uint64_t serial = --seek_;
  if (!is_of_interest(recorder, serial)) return;
  recorder.read(serial, [&](const Recorder::Found& found) {
    const bool counts =
        begins_story(found.record) && wish_.wants(found.record, found.from.name, found.to.name);
    if (counts) ++found_;
  });
  if (found_ < wish_.latest) return;
  skip_ = found_ - wish_.latest;
  next_ = serial;
  position_ = recorder.records_before(serial);
  seeking_ = false;
}

void Recall::read(const Recorder& recorder, std::uint64_t serial) {
  if (!is_of_interest(recorder, serial)) return;
  packer_.forget_names();  // They are the block's own.
  recorder.read(serial, [&](const Recorder::Found& found) {
    filter::Subject subject = filter::subject_of(found.record, found.from.name, found.to.name);
    if (program_ && program_->asks_for_latency()) {
      latencies_.learn_or_tell(subject, found.record.time_ns);
    }
    if (!wish_.wants(found.record, found.from.name, found.to.name)) return;
    if (wish_.latest > 0 && before_latest(found.record)) return;
    if (found.record.event == TapEvent::kMissed) return packer_.lose(found.record.missed);
    if (program_ && !program_->wants(subject)) return;
    ++told_;
    packer_.offer(found.record, found.from, found.to, {});
  });
}

/// What goes before the first of the latest is not wanted.
bool Recall::before_latest(const TapRecord& record) {
  if (begun_) return false;
  if (!begins_story(record)) return true;
  if (skip_ > 0) {
    --skip_;
    return true;
  }
  begun_ = true;
  return false;
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
