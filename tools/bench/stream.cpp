#include "tools/bench/stream.h"

#include "tools/bench/payload.h"

namespace zpost::bench {
namespace {

constexpr std::uint64_t kMessagesPerLook = 16;  // A clock read costs as much as a payload.
constexpr std::chrono::microseconds kHoldPoll{200};
constexpr std::uint64_t kMessagesPerTimeNote = 64;
constexpr std::uint64_t kMaxSequence = std::uint64_t{1} << 36;  // Bounds the bits of `seen_`.

void increment(std::atomic<std::uint64_t>& counter) {
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

}  // namespace

PayloadSource::PayloadSource(Quota quota, std::uint32_t pair, std::size_t payload_bytes,
                             StreamCounts& counts)
    : quota_(quota), pair_(pair), payload_bytes_(payload_bytes), counts_(counts) {}

bool PayloadSource::next(std::span<std::byte> out) {
  if (sequence_ >= quota_.messages) return false;
  if (sequence_ % kMessagesPerLook == 0) look_up();
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
    if (count > 0 && sequence_ % kMessagesPerLook == 0 && held()) break;
    if (!next(out)) break;
    out = out.subspan(payload_bytes_);
    ++count;
  }
  return count;
}

void PayloadSource::look_up() {
  while (held()) pause_for(kHoldPoll);
  const Clock::time_point now = Clock::now();
  if (sequence_ == 0) deadline_ = now + quota_.duration;
  const bool over = now >= deadline_ || counts_.enough.load(std::memory_order_relaxed);
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
