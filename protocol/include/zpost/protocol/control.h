// The bodies of control envelopes as values: encode and decode. SPEC.md, sections 4 and 5.
//
// Decoders read hostile bytes: bounded work, no allocation by declared size, unknown keys skipped,
// duplicate keys refused. Their error is kMalformed and names the key.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "zpost/protocol/envelope.h"

namespace zpost {

using Metadata = std::map<std::string, std::string>;

/// What the broker sends for a peer that vanished without a goodbye. SPEC.md, section 5, "Will".
struct Will {
  Kind kind = Kind::kSend;  // Or kPublish.
  std::string to = {};
  std::string content_type = {};
  ByteBuffer body = {};
  bool retain = false;

  bool operator==(const Will&) const = default;
};

/// Neighbours on the program lane: `count` numbers from `first` on.
struct LaneRange {
  std::uint64_t first = 0;
  std::uint64_t count = 0;

  bool operator==(const LaneRange&) const = default;
};

/// Most ranges of doubts that one envelope says.
inline constexpr std::size_t kMaxDoubts = 1024;

struct Hello {
  std::string instance = {};  // 32 hex digits, per run of the program.
  std::vector<std::uint64_t> versions = {kProtocolVersion};
  std::string software = {};
  bool acks = false;
  bool resume = false;
  bool pong = false;
  std::uint64_t window_bytes = 0;  // 0: the broker's choice.
  std::uint64_t window_frames = 0;
  std::string run = {};  // Of the last welcome; empty: none.
  std::uint64_t epoch = 0;
  std::uint64_t taken = 0;
  std::uint64_t outcomes = 0;
  std::optional<std::uint64_t> demand = {};  // Program-lane envelopes beyond `taken`; no end.
  std::uint64_t backlog = 0;                 // Cost of the copies it keeps.
  std::vector<LaneRange> doubts = {};        // As Doubt, of the session it had.
  Metadata metadata = {};
  std::optional<Will> will = {};

  bool operator==(const Hello&) const = default;
};

struct Welcome {
  std::uint64_t version = kProtocolVersion;
  std::string broker = {};
  std::string run = {};
  std::uint64_t epoch = 0;
  bool resumed = false;
  std::uint64_t first_id = 0;
  std::uint64_t highest_id = 0;
  std::uint64_t received = 0;  // Cost, SPEC.md section 7.
  std::uint64_t credit = 0;
  std::uint64_t pair = 0;
  std::uint64_t taken = 0;
  std::uint64_t outcomes = 0;
  std::uint64_t window_bytes = 0;
  std::uint64_t max_envelope_bytes = 0;
  std::uint64_t max_frame_bytes = 0;
  std::uint64_t heartbeat_ms = 0;
  std::uint64_t silence_ms = 0;
  std::uint64_t resume_ms = 0;
  std::uint64_t time_ns = 0;
  std::optional<std::uint64_t> earlier_taken = {};  // By the session the hello named, now over.

  bool operator==(const Welcome&) const = default;
};

/// The body of `refused` and of the broker's `goodbye`.
struct Refusal {
  Outcome code = Outcome::kNone;
  std::string text = {};
  bool retry = false;

  bool operator==(const Refusal&) const = default;
};

/// The body of a peer's `goodbye`: its final counts.
struct Goodbye {
  std::uint64_t taken = 0;
  std::uint64_t outcomes = 0;

  bool operator==(const Goodbye&) const = default;
};

struct Ack {
  std::uint64_t taken = 0;
  std::uint64_t outcomes = 0;
  std::uint64_t credit = 0;                  // The total adopted; 0: not said.
  std::optional<std::uint64_t> demand = {};  // Said only together with `credit`.

  bool operator==(const Ack&) const = default;
};

struct ReceiptEntry {
  std::string_view recipient = {};  // Borrowed from what was decoded or encoded from.
  std::uint64_t id = 0;
  bool unconfirmed = false;

  bool operator==(const ReceiptEntry&) const = default;
};

/// The body of `credit` (no entries) and of `receipt`.
struct Receipt {
  std::uint64_t credit = 0;
  std::uint64_t pair = 0;
  std::vector<ReceiptEntry> entries = {};

  bool operator==(const Receipt&) const = default;
};

/// The body of `outcome`; the id is in the envelope.
struct OutcomeNotice {
  Outcome code = Outcome::kNone;
  std::string_view recipient = {};  // Borrowed likewise.
  std::string_view text = {};
  std::optional<std::uint64_t> count = {};  // Of a publish: the queues that took it.

  bool operator==(const OutcomeNotice&) const = default;
};

struct Presence {
  std::string event = {};  // "present", "joined", "changed" or "left".
  std::string peer = {};
  std::string instance = {};
  std::string reason = {};
  Metadata metadata = {};

  bool operator==(const Presence&) const = default;
};

struct Watch {
  std::string_view pattern = {};
  bool on = true;

  bool operator==(const Watch&) const = default;
};

/// What to do for a subscriber that takes more slowly than is published. SPEC.md, section 11.
enum class SlowPolicy : std::uint8_t {
  kDropOldest = 0,
  kBlock = 1,
  kDisconnect = 2,
};

struct Subscribe {
  std::string_view pattern = {};
  SlowPolicy policy = SlowPolicy::kDropOldest;
  bool excludes_own = false;
  bool skips_retained = false;

  bool operator==(const Subscribe&) const = default;
};

struct Offer {
  std::string_view service = {};
  std::uint64_t capacity = 1;  // Calls at once.

  bool operator==(const Offer&) const = default;
};

/// The body of `unsubscribe` (a pattern) and of `withdraw` (a service).
struct Name {
  std::string_view name = {};

  bool operator==(const Name&) const = default;
};

/// The body of `doubt`: what a peer dropped as a repetition and may not have had. SPEC.md,
/// section 6.
struct Doubt {
  std::vector<LaneRange> ranges = {};  // In order.

  bool operator==(const Doubt&) const = default;
};

/// The body of `gap`: publishes that a subscriber did not get.
struct Gap {
  std::uint64_t count = 0;

  bool operator==(const Gap&) const = default;
};

[[nodiscard]] ByteBuffer encode(const Hello& hello);
[[nodiscard]] ByteBuffer encode(const Welcome& welcome);
[[nodiscard]] ByteBuffer encode(const Refusal& refusal);
[[nodiscard]] ByteBuffer encode(const Goodbye& goodbye);
[[nodiscard]] ByteBuffer encode(const Ack& ack);
[[nodiscard]] ByteBuffer encode(const OutcomeNotice& notice);
[[nodiscard]] ByteBuffer encode(const Presence& presence);
[[nodiscard]] ByteBuffer encode(const Watch& watch);
[[nodiscard]] ByteBuffer encode(const Subscribe& subscribe);
[[nodiscard]] ByteBuffer encode(const Offer& offer);
[[nodiscard]] ByteBuffer encode(const Name& name);
[[nodiscard]] ByteBuffer encode(const Gap& gap);
[[nodiscard]] ByteBuffer encode(const Doubt& doubt);
/// The body of `describe`.
[[nodiscard]] ByteBuffer encode(const Metadata& metadata);
/// A `credit` body when there are no entries, else a `receipt` body.
[[nodiscard]] ByteBuffer encode(const Receipt& receipt);

[[nodiscard]] Result<Hello> decode_hello(Bytes body);
[[nodiscard]] Result<Welcome> decode_welcome(Bytes body);
[[nodiscard]] Result<Refusal> decode_refusal(Bytes body);
[[nodiscard]] Result<Goodbye> decode_goodbye(Bytes body);
[[nodiscard]] Result<Ack> decode_ack(Bytes body);
[[nodiscard]] Result<Receipt> decode_receipt(Bytes body);
[[nodiscard]] Result<OutcomeNotice> decode_outcome(Bytes body);
[[nodiscard]] Result<Presence> decode_presence(Bytes body);
[[nodiscard]] Result<Watch> decode_watch(Bytes body);
[[nodiscard]] Result<Subscribe> decode_subscribe(Bytes body);
[[nodiscard]] Result<Name> decode_unsubscribe(Bytes body);
[[nodiscard]] Result<Offer> decode_offer(Bytes body);
[[nodiscard]] Result<Name> decode_withdraw(Bytes body);
[[nodiscard]] Result<Gap> decode_gap(Bytes body);
[[nodiscard]] Result<Doubt> decode_doubt(Bytes body);
[[nodiscard]] Result<Metadata> decode_describe(Bytes body);

}  // namespace zpost
