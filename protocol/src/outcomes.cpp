#include "zpost/protocol/outcomes.h"

namespace zpost {
namespace {

struct OutcomeName {
  Outcome outcome;
  std::string_view name;
};

// SPEC.md, section 8.
constexpr OutcomeName kOutcomeNames[] = {
    {Outcome::kDelivered, "delivered"},
    {Outcome::kUnconfirmed, "unconfirmed"},
    {Outcome::kQueued, "queued"},
    {Outcome::kDuplicate, "duplicate"},
    {Outcome::kNoPeer, "no-peer"},
    {Outcome::kNoSubscriber, "no-subscriber"},
    {Outcome::kNoWorker, "no-worker"},
    {Outcome::kFull, "full"},
    {Outcome::kOverCredit, "over-credit"},
    {Outcome::kTooLarge, "too-large"},
    {Outcome::kExpired, "expired"},
    {Outcome::kDenied, "denied"},
    {Outcome::kForged, "forged"},
    {Outcome::kMalformed, "malformed"},
    {Outcome::kNotWelcomed, "not-welcomed"},
    {Outcome::kUnsupported, "unsupported"},
    {Outcome::kRejected, "rejected"},
    {Outcome::kCancelled, "cancelled"},
    {Outcome::kDraining, "draining"},
    {Outcome::kDropped, "dropped"},
    {Outcome::kLost, "lost"},
    {Outcome::kBadName, "bad-name"},
    {Outcome::kBadId, "bad-id"},
    {Outcome::kNoReply, "no-reply"},
    {Outcome::kOverRate, "over-rate"},
    {Outcome::kBadIdentity, "bad-identity"},
    {Outcome::kVersion, "version"},
    {Outcome::kNameHeld, "name-held"},
    {Outcome::kReplaced, "replaced"},
    {Outcome::kSilent, "silent"},
    {Outcome::kViolations, "violations"},
    {Outcome::kUnresponsive, "unresponsive"},
    {Outcome::kTimedOut, "timed-out"},
};

}  // namespace

std::string_view outcome_name(Outcome outcome) {
  for (const OutcomeName& entry : kOutcomeNames) {
    if (entry.outcome == outcome) return entry.name;
  }
  return "unknown";
}

}  // namespace zpost
