// One pair's numbered stream of payloads: the sender draws from a PayloadSource, the receiver
// verifies with a PayloadSink, and both keep their counts where the parent can read them.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "tools/bench/interrupt.h"
#include "tools/bench/pace.h"

namespace zpost::bench {

/// When a sender stops: after `messages`, or with the first message drawn after `duration`,
/// whichever comes first.
struct Quota {
  std::uint64_t messages = std::numeric_limits<std::uint64_t>::max();
  std::chrono::nanoseconds duration = std::chrono::hours(24);
  double per_second = 0;  // Not more than this, in bursts a millisecond apart; 0: without a pace.
};

inline constexpr std::uint64_t kTotalUnknown = std::numeric_limits<std::uint64_t>::max();

/// Counts of one pair, in shared memory. They survive the death of the process that wrote them.
struct StreamCounts {
  /// Written by the sender. `total` is set before the last payload is handed out, so a receiver
  /// that has the last payload knows that it is the last.
  alignas(64) std::atomic<std::uint64_t> drawn = 0;
  std::atomic<std::uint64_t> total = kTotalUnknown;

  /// Written by the receiver. `intact` counts each sequence once. Arrival times are CLOCK_MONOTONIC
  /// nanoseconds; `last_arrival` is exact for a complete stream and up to 63 messages early for
  /// one with losses.
  alignas(64) std::atomic<std::uint64_t> intact = 0;
  std::atomic<std::uint64_t> duplicated = 0;
  std::atomic<std::uint64_t> reordered = 0;
  std::atomic<std::uint64_t> corrupt = 0;
  std::atomic<std::int64_t> first_arrival = 0;
  std::atomic<std::int64_t> last_arrival = 0;

  /// Written by the parent, and seen by the source within 16 payloads: the sequence at which it
  /// waits until it may go on, and that it shall end, although its quota is not used up.
  alignas(64) std::atomic<std::uint64_t> hold_at = kTotalUnknown;
  std::atomic<bool> enough = false;
};

/// Produces one sender's payloads. Thread: one. All systems pay the same for a payload.
class PayloadSource {
 public:
  /// `counts` must outlive the source. The quota's duration starts with the first payload.
  PayloadSource(Quota quota, std::uint32_t pair, std::size_t payload_bytes, StreamCounts& counts);

  [[nodiscard]] std::size_t payload_bytes() const { return payload_bytes_; }

  /// Writes the next payload to `out`, which has payload_bytes() bytes; waits while the parent
  /// holds the stream, and for its pace. False: there are no more, and `out` is as it was.
  [[nodiscard]] bool next(std::span<std::byte> out);

  /// Writes as many payloads as fit to `out`, back to back, and returns their number, which is less
  /// at the end and where the next would have to wait; 0 when there are no more.
  [[nodiscard]] std::size_t fill(std::span<std::byte> out);

 private:
  [[nodiscard]] bool held() const {
    return sequence_ >= counts_.hold_at.load(std::memory_order_acquire);
  }

  // Whether the next payload is not to be drawn now.
  [[nodiscard]] bool must_wait() const;

  // Waits while held, and notices when this payload shall be the last.
  void look_up();

  // Waits until this payload is due.
  void keep_pace();

  void notice_end(Clock::time_point now);

  Quota quota_;
  std::uint64_t pair_;
  std::size_t payload_bytes_;
  StreamCounts& counts_;
  std::optional<Pace> pace_;
  std::uint64_t sequence_ = 0;
  std::uint64_t due_ = kTotalUnknown;  // How many are; known to be at least so many, with a pace.
  Clock::time_point begun_;
};

/// Whether payloads must arrive in the order in which they were sent. Answers to several calls in
/// flight need not: no system promises that.
enum class Order : std::uint8_t { kKept, kFree };

/// Verifies one receiver's payloads: content, count, order, and that nothing comes twice.
class PayloadSink {
 public:
  /// `counts` must outlive the sink.
  PayloadSink(std::uint32_t pair, std::size_t payload_bytes, StreamCounts& counts,
              Order order = Order::kKept);

  /// Thread: one at a time. Never throws for a bad payload; it is counted.
  void accept(std::span<const std::byte> payload);

  /// Whether every payload of the stream has arrived intact. Thread: any.
  [[nodiscard]] bool complete() const {
    return counts_.intact.load(std::memory_order_acquire) >=
           counts_.total.load(std::memory_order_acquire);
  }

 private:
  [[nodiscard]] bool mark_seen(std::uint64_t sequence);
  void note_time(std::uint64_t intact);

  std::uint64_t pair_;
  std::size_t payload_bytes_;
  StreamCounts& counts_;
  Order order_;
  std::uint64_t next_ = 0;           // One above the highest sequence that arrived.
  std::vector<std::uint64_t> seen_;  // One bit per sequence.
};

}  // namespace zpost::bench
