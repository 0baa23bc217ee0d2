#include "broker/tap/recall.h"

#include <utility>

namespace zpost::tap {

namespace {

/// As any name there may be sent ids, a pattern says nothing about a block.
std::string_view exact(const std::string& pattern) {
  return pattern.ends_with('*') ? std::string_view() : pattern;
}

}  // namespace

Recall::Recall(core::RecallWish wish, Recorder& recorder)
    : wish_(std::move(wish)), packer_({}, Listener::kMaxRecalled) {
  recorder.seal();
  next_ = recorder.first_block();
  end_ = recorder.end_block();
}

void Recall::go_on(const Recorder& recorder) {
  for (int i = 0; i < kBlocksAtOnce && !over_; ++i) {
    if (packer_.staged() >= Listener::kMaxBody) return;
    if (next_ < recorder.first_block()) {
      packer_.lose(recorder.first_block() - next_);
      next_ = recorder.first_block();
    }
    if (next_ >= end_) return finish(recorder);
    read(recorder, next_++);
  }
}

void Recall::read(const Recorder& recorder, std::uint64_t serial) {
  const core::TapFilter& filter = wish_.filter;
  if (!recorder.overlaps(serial, wish_.since_ns, wish_.until_ns)) return;
  // Of sessions it wants to know whatever their envelopes' ids are.
  const bool ids = wish_.id && !recorder.may_have(serial, exact(filter.from), *wish_.id);
  if (ids && !recorder.has_sessions(serial)) return;
  packer_.forget_names();  // They are the block's own.
  recorder.read(serial, [&](const Recorder::Found& found) {
    if (!wish_.wants(found.record, found.from.name, found.to.name)) return;
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
