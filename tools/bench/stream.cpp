#include "tools/bench/stream.h"

#include <algorithm>

#include "tools/bench/payload.h"

namespace zpost::bench {
namespace {

constexpr std::uint64_t kMessagesPerLook = 16;  // A clock read costs as much as a payload.
constexpr std::chrono::microseconds kHoldPoll{200};
// Between two bursts of a pace. A sleep for every payload would cost more than the payloads.
constexpr std::chrono::microseconds kBurstEvery{1'000};
constexpr std::chrono::microseconds kNap{20'000};  // At most, to notice when it is enough.
constexpr std::uint64_t kMessagesPerTimeNote = 64;
constexpr std::uint64_t kMaxSequence = std::uint64_t{1} << 36;  // Bounds the bits of `seen_`.

void increment(std::atomic<std::uint64_t>& counter) {
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

}  // namespace

PayloadSource::PayloadSource(Quota quota, std::uint32_t pair, std::size_t payload_bytes,
                             StreamCounts& counts)
    : quota_(quota), pair_(pair), payload_bytes_(payload_bytes), counts_(counts) {
  if (quota.per_second <= 0) return;
  pace_.emplace(quota.per_second);
  due_ = 1;
}

bool PayloadSource::next(std::span<std::byte> out) {
  if (sequence_ >= quota_.messages) return false;
  if (sequence_ % kMessagesPerLook == 0) look_up();
  if (sequence_ >= due_) keep_pace();
  if (sequence_ + 1 == quota_.messages) {
    counts_.total.store(quota_.messages, std::memory_order_release);
  }
  write_payload({.sequence = sequence_, .pair = pair_}, out.first(payload_bytes_));
  ++sequence_;
  counts_.drawn.store(sequence_, std::memory_order_relaxed);
  return true;
}

std::size_t PayloadSource::fill(std::span<std::byte> out) {
  std::size_t count = 0;
  while (out.size() >= payload_bytes_) {
    // What is already written must not wait with us.
    if (count > 0 && must_wait()) break;
    if (!next(out)) break;
    out = out.subspan(payload_bytes_);
    ++count;
  }
  return count;
}

bool PayloadSource::must_wait() const {
  if (sequence_ % kMessagesPerLook == 0 && held()) return true;
  return sequence_ >= due_ && sequence_ >= pace_->due_after(Clock::now() - begun_);
}

void PayloadSource::look_up() {
  while (held()) pause_for(kHoldPoll);
  const Clock::time_point now = Clock::now();
  if (sequence_ == 0) begun_ = now;
  notice_end(now);
}

void PayloadSource::keep_pace() {
  while (true) {
    const Clock::time_point now = Clock::now();
    due_ = pace_->due_after(now - begun_);
    notice_end(now);
    if (sequence_ < due_ || sequence_ + 1 == quota_.messages) return;
    const auto left = pace_->time_of(sequence_) - (now - begun_);
    pause_for(std::clamp(std::chrono::ceil<std::chrono::microseconds>(left), kBurstEvery, kNap));
  }
}

void PayloadSource::notice_end(Clock::time_point now) {
  const bool over =
      now - begun_ >= quota_.duration || counts_.enough.load(std::memory_order_relaxed);
  if (over) quota_.messages = sequence_ + 1;
}

PayloadSink::PayloadSink(std::uint32_t pair, std::size_t payload_bytes, StreamCounts& counts,
                         Order order)
    : pair_(pair), payload_bytes_(payload_bytes), counts_(counts), order_(order) {}

void PayloadSink::accept(std::span<const std::byte> payload) {
  const auto id = verify_payload(payload);
  if (!id || id->pair != pair_ || payload.size() != payload_bytes_ ||
      id->sequence >= kMaxSequence) {
    return increment(counts_.corrupt);
  }
  if (!mark_seen(id->sequence)) return increment(counts_.duplicated);
  if (id->sequence >= next_) {
    next_ = id->sequence + 1;
  } else if (order_ == Order::kKept) {
    increment(counts_.reordered);
  }
  note_time(counts_.intact.load(std::memory_order_relaxed) + 1);
  increment(counts_.intact);
}

bool PayloadSink::mark_seen(std::uint64_t sequence) {
  const std::uint64_t word = sequence / 64;
  const std::uint64_t bit = std::uint64_t{1} << (sequence % 64);
  if (word >= seen_.size()) seen_.resize(word * 2 + 1024);
  if ((seen_[word] & bit) != 0) return false;
  seen_[word] |= bit;
  return true;
}

void PayloadSink::note_time(std::uint64_t intact) {
  const bool first = intact == 1;
  const bool last = intact == counts_.total.load(std::memory_order_acquire);
  if (!first && !last && intact % kMessagesPerTimeNote != 0) return;
  const std::int64_t now = std::chrono::nanoseconds(Clock::now().time_since_epoch()).count();
  if (first) counts_.first_arrival.store(now, std::memory_order_relaxed);
  counts_.last_arrival.store(now, std::memory_order_relaxed);
}

}  // namespace zpost::bench
