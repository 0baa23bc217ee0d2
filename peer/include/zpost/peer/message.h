// What a peer receives and hears: messages, batches, outcome reports, state changes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "zpost/protocol/control.h"
#include "zpost/protocol/envelope.h"

namespace zpost::peer {

/// Why a call of the library did not do what was asked.
enum class Fault {
  kInvalid,      // The call's arguments; the text names the value and the limit.
  kUnreachable,  // No broker answered at the endpoint in time.
  kRefused,      // The broker refused or ended the session; `outcome` says why.
  kClosed,       // close() was called, or the peer was refused for good.
  kWouldBlock,   // It would have to wait (try_send without credit, or a call inside a callback).
  kTimedOut,     // The deadline passed.
  kFailed,       // A request's final outcome is a failure; `outcome` says which.
  kExhausted,    // The system has no more descriptors or threads; the text names the limit.
};

struct Failure {
  Fault fault = Fault::kInvalid;
  Outcome outcome = Outcome::kNone;
  std::string text;
};

template <typename T>
using Answer = Result<T, Failure>;

/// A received envelope that owns its bytes.
struct Message {
  Kind kind = Kind::kSend;
  std::string from;  // Empty: the broker.
  std::string to;    // The topic of a publish, the service of a call; else this peer's name.
  std::uint64_t id = 0;
  std::string content_type;
  std::uint64_t sent_ns = 0;      // The sender's clock; 0: not said.
  std::uint64_t in_reply_to = 0;  // Replies only.
  bool rejected = false;          // Replies only: the recipient said no; the body says why.
  bool more = false;              // Replies only: others to the same request follow.
  /// Calls only: which attempt this is, if it was handed to another worker before; else 0.
  std::uint64_t again = 0;
  bool retained = false;  // Publishes only: the value kept of the topic, not news.
  bool will = false;      // The sender vanished and left this.
  std::string trace;      // A W3C traceparent; empty: not said.
  bool body_is_text = false;
  /// Of kind kGap: so many publishes were dropped here, since this peer took too slowly. The body
  /// is empty then, and so is `from`.
  std::uint64_t gap = 0;
  std::vector<std::byte> body;

  [[nodiscard]] std::string_view text() const { return as_text(body); }
};

/// How many publishes were dropped where `view` stands among those received; 0: it is no gap mark,
/// which is of kind kGap and means nothing to whoever reads bodies. SPEC.md, section 16.
[[nodiscard]] std::uint64_t gap_of(const EnvelopeView& view);

/// Received envelopes that borrow their bytes from the library.
///
/// The views are valid until the batch is destroyed or assigned to. Envelopes of a batch are taken
/// as TakeMode says; destroying the batch takes nothing by itself. Movable, not copyable.
class Batch {
 public:
  Batch();
  ~Batch();
  Batch(Batch&&) noexcept;
  Batch& operator=(Batch&&) noexcept;

  [[nodiscard]] std::span<const EnvelopeView> envelopes() const { return envelopes_; }

  [[nodiscard]] bool empty() const { return envelopes_.empty(); }

  [[nodiscard]] std::size_t size() const { return envelopes_.size(); }

 private:
  friend class BatchBuilder;
  struct Frames;
  std::vector<EnvelopeView> envelopes_;
  std::unique_ptr<Frames> frames_;  // Keeps the bytes alive.
};

/// What became of one envelope, or of what the peer asked for (see Peer::subscribe).
struct OutcomeReport {
  std::uint64_t id = 0;
  /// Whom it was for. Of a publish the topic, or `**` if it was settled among others; of a
  /// subscription the pattern.
  std::string to;
  Outcome outcome = Outcome::kNone;
  std::string text;
  /// Of a publish that wanted it: how many queues took it; of a subscription: how many retained
  /// values it is sent.
  std::optional<std::uint64_t> count = {};
};

/// What happened to the session.
struct StateChange {
  enum class State {
    kConnected,  // Welcomed. `resumed` and `new_run` say how it goes on.
    kLost,       // The connection is gone; reconnecting by itself.
    kRefused,    // The broker refused or ended the session. `final` says if the library gave up.
    kDraining,   // The broker is shutting down.
    kClosed,
  };
  State state = State::kConnected;
  bool resumed = false;
  bool new_run = false;  // Another run of the broker than before.
  bool final = false;
  /// After a welcome that does not resume: envelopes this program took which the broker may have
  /// reported `lost` to their senders, since their acks had not arrived.
  std::uint64_t taken_but_unacknowledged = 0;
  Outcome code = Outcome::kNone;
  std::string text;
};

/// A request or call that this peer has received and whose outcome is known meanwhile: cancelled,
/// expired, or its sender is gone. Whoever works on it may stop; a reply would be late.
struct Cancellation {
  std::string from;
  std::uint64_t id = 0;  // Of the request.
};

/// Someone else's coming and going (see Peer::watch). Its `event` is `present`, `joined`, `changed`
/// (its metadata; see Peer::describe) or `left`. SPEC.md, section 18.
using PresenceChange = Presence;

/// Counters of one Peer since it connected first, of payload envelopes unless they say otherwise.
/// All monotone but `unsettled`; at every moment
/// `sent` + replies deferred = `delivered` + `unconfirmed` + `failed` + `unsettled`.
struct Statistics {
  std::uint64_t sent = 0;         // Got an id. Requests and replies included, as in all below.
  std::uint64_t resent = 0;       // Copies sent again after a loss.
  std::uint64_t delivered = 0;    // Final outcome `delivered`, or a request with its reply.
  std::uint64_t unconfirmed = 0;  // Handed to recipients that do not acknowledge.
  std::uint64_t failed = 0;       // Any other final outcome; a request that timed out, too.
  std::uint64_t unsettled = 0;    // Without a final outcome yet, replies that wait included.
  std::uint64_t received = 0;  // Arrived for the program, replies to its requests included. Those
                               // that a new session brings again count again.
  std::uint64_t taken = 0;     // Of those, taken: once each. Gap marks count in both.
  std::uint64_t dropped_duplicates = 0;  // Arrived though the program had them before.
  std::uint64_t late_replies = 0;        // Replies that no request waited for (any more).
  std::uint64_t expired = 0;    // Requests received that the program never saw: too late …
  std::uint64_t cancelled = 0;  // … or cancelled before it took them.
  // What the program was not told, since it fetched too late: beyond
  // Options::max_outcome_reports, 65,536 presence changes and 1,024 state changes the oldest goes.
  std::uint64_t dropped_reports = 0;
  std::uint64_t dropped_presences = 0;
  std::uint64_t dropped_changes = 0;
  std::uint64_t reconnects = 0;  // Welcomes after the first.
};

}  // namespace zpost::peer
