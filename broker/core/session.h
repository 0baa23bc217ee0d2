// What the core knows of a peer: as a sender (pairs, credit, outcomes) and as a recipient (stream).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "broker/core/action.h"
#include "broker/core/directory.h"
#include "broker/core/ring.h"
#include "broker/core/time.h"
#include "zpost/protocol/control.h"

namespace zpost::core {

using PairIndex = std::uint32_t;
/// Run::pair of what the broker itself sends: payload, and presence, which no counter counts.
inline constexpr PairIndex kBrokerPayload = kNone;
inline constexpr PairIndex kUncounted = kNone - 1;
/// Of a subscriber's copies of publishes, whoever's they are.
inline constexpr PairIndex kTopicCopy = kNone - 2;
/// Of a call in a worker's stream: `stride` is its exchange.
inline constexpr PairIndex kCallCopy = kNone - 3;

/// Whether it is what the broker itself sends.
inline bool is_own(PairIndex pair) {
  return pair >= kUncounted;
}

/// What one sender has outstanding for one recipient, and how far that is settled.
struct Pair {
  SessionId sender = kNone;  // kNone: the sender's session is over, its envelopes live on.
  NameId from = kBrokerName;
  NameId to = kBrokerName;
  std::uint32_t held_count = 0;  // In the recipient's stream.
  std::uint64_t held_cost = 0;
  std::uint64_t failed_cost = 0;  // Failures whose outcomes are not acknowledged yet,
  std::uint32_t failed_count = 0;
  bool failed_unordered = false;  // linked through the sender's outcome lane, by lane number.
  bool dirty = false;             // In the sender's dirty_pairs.
  std::uint64_t failed_head = 0;
  std::uint64_t failed_tail = 0;
  std::uint64_t last_id = 0;              // The highest id accepted or failed.
  std::uint64_t last_taken_id = 0;        // The highest id taken.
  std::uint64_t last_unconfirmed_id = 0;  // The highest id taken without an ack.
  std::uint64_t told_id = 0;              // By the last receipt.
  std::int64_t told_at = 0;

  [[nodiscard]] std::uint64_t outstanding() const { return held_cost + failed_cost; }
};

/// Neighbours in a recipient's lane from one sender, with ids in equal steps, of equal size and
/// kind, so that any part of it can be settled exactly.
struct Run {
  std::uint64_t first = 0;
  PairIndex pair = kBrokerPayload;
  std::uint32_t count = 0;
  std::uint32_t stride = 0;  // Meaningless while count is 1.
  std::uint32_t size = 0;    // Encoded bytes of each.
  std::uint8_t kind = 0;
  std::int64_t received_ns = 0;  // Steady; when its first one came.

  [[nodiscard]] std::uint64_t id(std::uint32_t index) const {
    return first + std::uint64_t{index} * stride;
  }
};

/// A frame to be, or handed over. Its bytes are the shell's.
struct Bundle {
  std::uint32_t count = 0;  // Program-lane envelopes not yet taken.
  std::uint32_t bytes = 0;
  std::int64_t received_ns = 0;  // Of a topic queue: steady; when its first one came.
};

/// A place in a stream's runs: an envelope of one of them.
struct RunPlace {
  std::size_t index = 0;
  std::uint32_t offset = 0;
};

/// What the tap knows of a stream, in lane numbers: up to where things were handed over, up to
/// where it is known that they waited, and up to where they go out once more.
struct Told {
  std::uint64_t gone = 0;
  std::uint64_t known = 0;
  std::uint64_t again = 0;
  RunPlace next;  // Of the first that is not gone, if any of it is known.

  /// The oldest `count` of the first run were cut off it; it is left out if none `remain`.
  void cut(std::uint32_t count, bool remain) {
    if (next.index == 0) next.offset -= std::min(next.offset, count);
    if (remain) return;
    next = next.index == 0 ? RunPlace{} : RunPlace{next.index - 1, next.offset};
  }
};

/// What is on its way to a recipient, in order: handed over and unacknowledged, then waiting.
struct Stream {
  Ring<Run> runs;
  Ring<Bundle> bundles;
  std::uint32_t handed = 0;  // Of `bundles`.
  bool open = false;         // The last bundle takes more.
  std::uint64_t bytes = 0;
  std::uint64_t handed_bytes = 0;
  std::uint64_t acked = 0;            // Lane numbers: taken so far in this epoch,
  std::uint64_t handed_count = 0;     // handed over so far in this epoch,
  std::uint64_t entered = 0;          // put into it so far in this epoch.
  std::uint64_t demand = UINT64_MAX;  // Nothing beyond this lane number is handed over.
  bool apart = false;                 // One envelope a bundle.
  std::uint32_t front_taken = 0;      // Of the oldest bundle, since it was begun or rewound.
  Told told;

  [[nodiscard]] std::size_t waiting() const { return bundles.size() - handed; }
};

/// Publishes whose credit waits until a subscriber with policy `block` has taken enough.
struct WaitingPublishes {
  std::uint64_t position = 0;  // They are settled once this many bytes less the limit have left.
  PairIndex pair = kNone;
  std::uint32_t count = 0;
  std::uint64_t cost = 0;
  std::uint64_t number = 0;  // Of the entry in the pair's Unsettled.
};

/// Publishes that wait for a subscriber. What is handed over moves to the end of its stream.
struct TopicQueue {
  Ring<Bundle> bundles;
  bool open = false;          // The last bundle takes more.
  bool ends_session = false;  // It grew beyond its limit under the policy `disconnect`.
  std::uint64_t bytes = 0;
  std::uint64_t entered = 0;  // Bytes ever put in, and
  std::uint64_t left = 0;     // handed over or dropped.
  // Up to where `left` must come until no retained values wait: those are no sign of slowness.
  std::uint64_t retained_end = 0;
  std::uint64_t gap = 0;             // Copies dropped that the subscriber is not told of yet,
  std::uint64_t dropped = 0;         // and that the tap is not told of.
  std::uint64_t share = UINT64_MAX;  // Of Limits::blocking_room, as one of its latest audience.
  Ring<WaitingPublishes> waiting;
};

/// Which of several limits or reasons an outcome speaks of, for its text.
enum class Detail : std::uint8_t {
  kQueue,  // limits.queue or limits.memory, or nothing special.
  kSubscriptions,
  kAllSubscriptions,
  kRetained,
  kWatches,
  kOffers,
  kAllOffers,
  kCalls,
  kAllCalls,
  kServiceQueue,
  kReplyTooLarge,
  kReplyFailed,
  kDoubt,  // The recipient dropped it.
};

/// One failure in a sender's outcome lane, or an answer that was asked for, kept until
/// acknowledged.
struct OutcomeEntry {
  std::uint64_t id = 0;
  std::uint64_t next = 0;  // Lane number of the pair's next failure; 0: none.
  PairIndex pair = kNone;  // kNone: about no recipient's name.
  std::uint32_t cost = 0;
  Outcome code = Outcome::kNone;
  Detail detail = Detail::kQueue;
  std::uint32_t count = kNone;  // Queues that took a publish, values for a subscription.
  bool ends_exchange = false;   // Of a request or call whose envelope is settled elsewhere.
};

/// Someone who said hello for a name that is held, while the holder is asked.
struct Challenger {
  ConnectionId connection = kNone;
  Hello hello;
  std::int64_t deadline = kNever;
};

/// Envelopes a second, of the latest full second.
struct Rates {
  std::int64_t since = 0;
  std::uint64_t sent_before = 0;
  std::uint64_t taken_before = 0;
  std::uint64_t sent = 0;
  std::uint64_t taken = 0;

  void measure(std::int64_t now, std::uint64_t sent_so_far, std::uint64_t taken_so_far) {
    const std::int64_t span = now - since;
    if (span < kSecond) return;
    const auto rate = [span](std::uint64_t count) {
      return static_cast<std::uint64_t>(static_cast<double>(count) * 1e9 /
                                        static_cast<double>(span));
    };
    sent = rate(sent_so_far - sent_before);
    taken = rate(taken_so_far - taken_before);
    since = now;
    sent_before = sent_so_far;
    taken_before = taken_so_far;
  }
};

struct Session {
  enum class State : std::uint8_t {
    kActive,
    kAway,
    kExpected,  // Nobody has come yet since the broker's start; whoever does gets what waits.
  };

  SessionId id = kNone;
  NameId name = kBrokerName;
  ConnectionId connection = kNone;  // kNone while away without a connection.
  State state = State::kActive;
  Hello hello;
  std::uint64_t epoch = 0;
  std::uint64_t since_wall_ns = 0;
  std::int64_t last_heard = 0;
  std::int64_t last_ping = 0;
  std::int64_t away_since = 0;
  std::uint32_t violations = 0;
  std::string last_violation;
  std::optional<Challenger> challenger;
  bool inspects = false;  // It has the tap open, or asked for a recall.
  std::vector<std::string> watches;
  std::int64_t watches_since = 0;  // A second in which
  std::uint64_t new_watches = 0;   // these were new.

  Ring<LaneRange> doubts;  // Of what it has not taken yet, in order.

  // As a sender.
  std::int64_t expects_until = 0;  // Its recipients may come back from an earlier run as well.
  std::uint64_t highest_id = 0;
  std::uint64_t received_cost = 0;  // Of this epoch.
  std::uint64_t settled_cost = 0;
  std::uint64_t credit = 0;       // The highest total told.
  std::uint64_t credit_size = 0;  // What may be unsettled; reserved in the broker's budget.
  std::uint64_t pair_limit = 0;   // Of it, for one recipient: what is told.
  std::uint64_t pair_bound = 0;   // The highest told: what exceeds that is refused.
  std::uint64_t shrink_to = 0;    // A lower total was told, not yet adopted; 0: none.
  std::uint64_t said_credit = 0;  // The total its latest ack says it goes by; 0: unknown.
  bool credit_asked = false;      // Since its latest payload.
  bool pressed = false;           // It came near a limit: let it grow.
  bool credit_due = false;        // Told with the next receipt even if no pair moved.
  std::int64_t spent_since = 0;   // It must wait, for its credit or for
  PairIndex spent_pair = kNone;   // this recipient; 0: it need not.
  bool spent_told = false;        // The tap knows.
  // Of those it published to since its latest receipt some make it wait; 0: none does.
  std::uint64_t blocking_audience = 0;
  std::int64_t last_payload = 0;
  std::uint64_t sent_in = 0;    // The latest period of RecentSenders in which it sent to anybody.
  std::int64_t rate_until = 0;  // By limits.rate it has sent up to here.
  std::int64_t last_receipt = INT64_MIN / 2;
  std::int64_t receipt_pause = 0;           // From the last to the next; 0: limits.receipt_ns.
  std::uint64_t settled_since_receipt = 0;  // Cost.
  std::uint64_t settled_count_since_receipt = 0;
  std::unordered_map<NameId, PairIndex> pairs;
  std::int64_t pairs_swept = 0;
  std::int64_t read_until = 0;            // What it was told before is read: its pong says so.
  std::array<PairIndex, 8> pair_cache{};  // By pair_slot(); PairIndex + 1, 0: empty.
  PairIndex topics_pair = kNone;          // Of all it publishes; kNone: unknown.
  std::vector<PairIndex> dirty_pairs;
  std::vector<PairIndex> told_pairs;  // By the last control frame, should it meet a full pipe.
  Ring<OutcomeEntry> outcomes;
  std::size_t answers = 0;  // Of `outcomes`: those without a cost.
  std::uint64_t outcomes_acked = 0;
  std::uint64_t outcomes_sent = 0;
  std::uint64_t outcomes_sent_before = 0;  // The last control frame.

  // Requests and calls: the first of each list in Exchanges.
  std::uint32_t asked = kNone;
  std::uint32_t held = kNone;
  std::uint64_t exchanges = 0;               // Asked and open, or ended without an acknowledgement.
  std::unordered_set<std::uint32_t> offers;  // Services.
  // Calls in hand of services that it does not offer any more.
  std::unordered_map<std::uint32_t, std::uint64_t> left_in_hand;

  // As a recipient.
  Stream stream;
  TopicQueue topics;
  std::unordered_set<std::string> subscriptions;

  // Towards the shell.
  std::vector<std::byte> pong;  // The body of the latest ping, to be answered.
  bool pong_due = false;
  bool ping_due = false;
  bool pong_told = false;  // In the last control frame, should it meet a full pipe.
  bool ping_told = false;
  std::uint64_t pings = 0;         // Sent so far: the body of the latest one,
  std::int64_t latest_ping = 0;    // which went at this time.
  bool touched = false;            // In the router's list of sessions to flush.
  std::int64_t blocked_since = 0;  // 0: its pipe takes frames.
  std::int64_t retry_at = 0;

  // For `who`.
  std::uint64_t sent = 0;
  std::uint64_t taken = 0;
  Rates rates;

  /// What the last control frame told need not be told again if it met a full pipe.
  void told_nothing() {
    outcomes_sent_before = outcomes_sent;
    told_pairs.clear();
    pong_told = ping_told = false;
  }

  [[nodiscard]] std::uint64_t outstanding() const { return received_cost - settled_cost; }
};

}  // namespace zpost::core
