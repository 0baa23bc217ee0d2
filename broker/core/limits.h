// What a broker may be told about its limits and times. SPEC.md, section 10.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "broker/core/time.h"

namespace zpost::core {

/// Each field has a configuration key of the same name under [limits] or [session].
struct Limits {
  std::uint64_t max_envelope = 1 << 20;           // Bytes, encoded.
  std::uint64_t memory = std::uint64_t{1} << 30;  // Bytes; half of it may be granted or held.
  std::uint64_t credit_initial = 32 << 10;        // Cost a new peer may have unsettled.
  std::uint64_t credit_max = 32 << 20;            // Cost a busy peer may have unsettled.
  std::uint64_t pair_share = 4;                   // One recipient gets credit / pair_share.
  std::uint64_t window = 8 << 20;                 // Unacknowledged bytes per recipient.
  std::uint64_t window_frames = 128;              // Unacknowledged frames; half of SNDHWM at most.
  std::uint64_t queue = 64 << 20;                 // Bytes waiting or unacknowledged per recipient.
  std::uint64_t peers = 20'000;
  std::uint64_t violations = 100;
  std::uint64_t watches = 64;
  std::uint64_t subscriptions = 1024;           // Patterns of a peer,
  std::uint64_t all_subscriptions = 1'000'000;  // and of all.
  std::uint64_t topic_queue = 8 << 20;          // Bytes of publishes waiting for a subscriber.
  std::uint64_t rate = 0;                       // Envelopes a second of a peer; 0: no limit.
  std::uint64_t offers = 64;                    // Services of a peer,
  std::uint64_t all_offers = 100'000;           // and of all.
  std::uint64_t calls = 65'536;                 // Requests and calls of a peer without a reply,
  std::uint64_t all_calls = 1'000'000;          // and of all.
  std::uint64_t service_queue = 10'000;         // Calls waiting for a worker of a service.
  std::uint64_t retained = 10'000;              // Topics with a retained value.
  std::uint64_t inspectors = 16;                // Peers that have the tap or a recall open.

  std::int64_t heartbeat_ns = 15 * kSecond;
  std::int64_t silence_ns = 30 * kSecond;
  std::int64_t resume_ns = 30 * kSecond;
  std::int64_t challenge_ns = 1 * kSecond;     // How long a holder may take to answer for its name.
  std::int64_t simple_away_ns = 1 * kSecond;   // `resume` for peers that cannot resume.
  std::int64_t receipt_ns = 1 * kMillisecond;  // Most a receipt waits for company.
  std::int64_t credit_idle_ns = 10 * kSecond;  // After this long without payload credit shrinks.
  bool newest_wins = false;                    // A newcomer takes a held name at once.

  /// Of so many subscribers for whom publishers wait: what may wait for each before they do once
  /// much of the memory is used, with what it was sent, and what one publisher may have unsettled.
  /// Together less than the memory: copies that do not fit it are dropped, whatever the policy.
  /// docs/adr/0025.
  [[nodiscard]] std::uint64_t blocking_room(std::uint64_t subscribers) const {
    return memory / 8 * 3 / std::max<std::uint64_t>(subscribers, 1);
  }

  /// Whether so much is used that blocking_room() counts: a quarter of the memory.
  [[nodiscard]] bool is_much(std::uint64_t bytes) const { return bytes > memory / 4; }

  [[nodiscard]] std::uint64_t blocking_credit(std::uint64_t subscribers) const {
    return std::max(memory / 2 / std::max<std::uint64_t>(subscribers, 1), credit_initial);
  }

  /// A frame holds one envelope of the largest size, or a well-filled bundle.
  [[nodiscard]] std::uint64_t max_frame() const { return max_envelope + (64 << 10); }
};

/// Who this broker is.
struct BrokerIdentity {
  std::string name = "zpost";
  std::string run;             // 32 hex digits, random per start.
  std::uint64_t id_floor = 0;  // Above every id an earlier run saw or gave.
  // Ids a welcome sets aside while the clock stands: more than credit lets a peer use unseen.
  std::uint64_t id_gap = 1 << 20;
};

}  // namespace zpost::core
