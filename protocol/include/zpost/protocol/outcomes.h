// The closed list of outcomes and refusal codes. SPEC.md, section 8, says who acts on each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace zpost {

/// What became of an envelope, or why a session was refused or ended. The value is the wire number.
enum class Outcome : std::uint16_t {
  kNone = 0,  // Not yet known; never on the wire.
  kDelivered = 1,
  kUnconfirmed = 2,
  kQueued = 3,
  kDuplicate = 10,
  kNoPeer = 11,
  kNoSubscriber = 12,
  kNoWorker = 13,
  kFull = 14,
  kOverCredit = 15,
  kTooLarge = 16,
  kExpired = 17,
  kDenied = 18,
  kForged = 19,
  kMalformed = 20,
  kNotWelcomed = 21,
  kUnsupported = 22,
  kRejected = 23,
  kCancelled = 24,
  kDraining = 25,
  kDropped = 26,
  kLost = 27,
  kBadName = 28,
  kBadId = 29,
  kNoReply = 30,
  kOverRate = 31,
  kBadIdentity = 64,
  kVersion = 65,
  kNameHeld = 66,
  kReplaced = 67,
  kSilent = 68,
  kViolations = 69,
  kUnresponsive = 70,
  kTimedOut = 71,
};

/// One above the highest code: the size of a table indexed by code.
inline constexpr std::size_t kOutcomeTableSize = 72;

/// The name on every screen and in every log, e.g. "no-peer"; "unknown" for other numbers.
[[nodiscard]] std::string_view outcome_name(Outcome outcome);

/// True for outcomes that mean the recipient has the envelope.
[[nodiscard]] constexpr bool is_success(Outcome outcome) {
  return outcome == Outcome::kDelivered || outcome == Outcome::kUnconfirmed;
}

}  // namespace zpost
