// A peer without its socket: what to say, what was heard, how it goes on after a loss.
//
// Pure: frames and the time come in, frames go out through a FrameSink. No sockets, clocks or
// threads, so that a simulation can drive it in virtual time. Everything a program may fetch waits
// in it.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "peer/src/clock.h"
#include "peer/src/inbox.h"
#include "peer/src/interests.h"
#include "peer/src/ledger.h"
#include "peer/src/open_frame.h"
#include "peer/src/reply_reserve.h"
#include "peer/src/reports.h"
#include "peer/src/requests.h"
#include "peer/src/session.h"
#include "peer/src/topic_prefixes.h"
#include "zpost/peer/message.h"
#include "zpost/peer/options.h"

namespace zpost::peer {

/// Where a State's frames go, and what it must know of their way. Calls may come from any call of
/// the State.
class FrameSink {
 public:
  virtual ~FrameSink() = default;
  /// A frame of payload. Frames arrive in the order of the calls, or the connection is lost.
  virtual void send(FrameRef frame) = 0;
  /// A frame of control envelopes; copied.
  virtual void send_control(Bytes frame) = 0;
  /// Whether what was handed over before is still on its way out, so that company is worth waiting
  /// for.
  [[nodiscard]] virtual bool busy() = 0;
  /// The time. A call that sends asks only when it matters, since most need not know.
  [[nodiscard]] virtual Time now() = 0;
};

class State {
 public:
  enum class Phase {
    kDown,      // No connection; the next attempt is due at retry_at().
    kGreeting,  // Hello was said.
    kActive,
    kOver,  // For good: closed, or refused finally.
  };

  /// `options` are valid and name the peer. `instance`: 32 hex digits. `sink` must outlive it.
  State(const Options& options, std::string instance, FramePool& pool, FrameSink& sink);

  // --- The connection ------------------------------------------------------------------------

  [[nodiscard]] Phase phase() const { return phase_; }

  /// A fresh connection is there: says hello.
  void opened(Time now);

  /// No connection could be opened: the next attempt is a pause away.
  void not_opened() { retry_known_ = false; }

  /// The connection is gone.
  void lost(std::string_view why);
  /// A frame arrived. `keeper` keeps its bytes alive; it is copied if they are needed later.
  void handle(Bytes frame, const Keeper& keeper);
  /// Does what time asks for: deadlines, pings, acks, silence.
  void tick(Time now);
  /// When tick() must be called next at the latest. While ack_hurries() or has_open_frame() it
  /// should be called, and flush(), every two milliseconds or so.
  [[nodiscard]] Time next_tick() const;

  /// In kDown: when to connect again. Known after a tick().
  [[nodiscard]] Time retry_at() const { return retry_at_; }

  /// The latest refusal; nothing if there was none since the latest welcome.
  [[nodiscard]] const std::optional<Refusal>& refusal() const { return refusal_; }

  /// Whether any connection was answered so far.
  [[nodiscard]] bool was_welcomed() const { return welcomed_; }

  [[nodiscard]] const Welcome& welcome() const { return welcome_; }

  [[nodiscard]] const std::string& instance() const { return instance_; }

  // --- Sending -------------------------------------------------------------------------------

  /// Why `draft` can never be sent; nothing if it can.
  [[nodiscard]] std::optional<Failure> invalid(const Draft& draft) const;

  /// A quick look that spares the long one: true only if invalid() would say nothing.
  [[nodiscard]] bool surely_valid(const Draft& draft) {
    if (!draft.plain() || draft.body.size() + kMaxPlainHeaderBytes > welcome_.max_envelope_bytes) {
      return false;
    }
    return draft.kind == Kind::kSend ? !draft.to.empty() && ledger_.is_latest(draft.to)
                                     : topics_.find(draft.to) != nullptr;
  }

  /// Whether try_send(draft) would send it now. REQUIRES: !invalid(draft).
  [[nodiscard]] bool could_send(const Draft& draft) const;

  /// What `draft` waits for when could_send() is false, in words.
  [[nodiscard]] std::string obstacle(const Draft& draft) const;
  /// Sends it and returns its id; nothing: no credit now. REQUIRES: !invalid(draft).
  [[nodiscard]] std::optional<std::uint64_t> try_send(const Draft& draft);
  /// Sends as many of `bodies` as there is credit for, like `draft` but for its body, with ids from
  /// next_id() on, and returns how many. REQUIRES: draft.plain(), none of them invalid.
  std::size_t try_send(const Draft& draft, std::span<const Bytes> bodies);

  /// While `on`, what is sent stays in the open frame until that is full, or until flush().
  void gather(bool on) { gathers_ = on; }

  /// What was gathered goes, unless the frame before is still on its way.
  void flush_if_idle() {
    if (may_flush()) flush();
  }

  /// Keeps a reply for which there is no credit and sends it when there is: it gets its id then.
  /// False: as many wait as may. REQUIRES: !invalid(draft).
  [[nodiscard]] bool defer(const Draft& draft);

  /// Whoever waits for the reply to a request or call that try_send gave its id.
  void expect_reply(const Asked& asked, Resolver resolver) {
    requests_.add(asked, std::move(resolver));
  }

  /// Asks the broker to end a request or call. False: none of this id waits for a reply.
  [[nodiscard]] bool cancel(std::uint64_t id);

  /// `time` by the broker's clock, in ns since 1970; 0 if that clock is not known, or for the end
  /// of time. Never 0 otherwise. SPEC.md, section 5, `time`.
  [[nodiscard]] std::uint64_t broker_time(Time time) const;

  /// Whether envelopes wait in the open frame.
  [[nodiscard]] bool has_open_frame() const { return !open_.empty(); }

  /// A number that changes when a frame was closed.
  [[nodiscard]] std::uint64_t frames_closed() const { return frames_closed_; }

  void flush();

  /// The id the next envelope gets.
  [[nodiscard]] std::uint64_t next_id() const { return ledger_.next_id(); }

  [[nodiscard]] std::uint64_t unsettled() const {
    return ledger_.unsettled() + requests_.size() + reserve_.size();
  }

  // --- Receiving -----------------------------------------------------------------------------

  [[nodiscard]] Inbox& inbox() { return inbox_; }

  [[nodiscard]] const Inbox& inbox() const { return inbox_; }

  /// Whether it is a request or call whose deadline has passed. Then it is counted, and nobody
  /// wants to see it. `now` is filled in by the first that needs it, for all that are looked at
  /// together.
  [[nodiscard]] bool too_late(const EnvelopeView& view, std::optional<Time>& now);

  /// Whether any envelope in the inbox may be too_late().
  [[nodiscard]] bool has_deadlines() const { return has_deadlines_; }

  /// Sends an ack if there is something to say and the latest is two milliseconds old.
  void ack_if_due(Time now);

  /// Sends an ack along with the payload that goes now, if there is something to say and the latest
  /// is a millisecond old.
  void ack_beside_payload();

  /// The program takes `count` more than it said, if it said so.
  void add_demand(std::uint64_t count);

  /// Sends an ack if a quarter of the window waits for one.
  void ack_if_urgent() {
    if (inbox_.ack_urgent()) send_ack();
  }

  [[nodiscard]] bool ack_wanted() const {
    return phase_ == Phase::kActive && (inbox_.ack_wanted() || credit_report_due_);
  }

  /// Whether an ack is wanted that somebody waits for. Others may wait for company.
  [[nodiscard]] bool ack_hurries() const {
    return phase_ == Phase::kActive && (inbox_.ack_hurries() || credit_report_due_);
  }

  /// When tick() sends the ack that is wanted. REQUIRES: ack_wanted().
  [[nodiscard]] Time ack_due() const;

  /// When tick() must be called at the latest if no program thread does it, which wakes nobody for
  /// it. REQUIRES: ack_wanted().
  [[nodiscard]] Time ack_due_at_last() const;

  // --- What waits for the program ------------------------------------------------------------

  [[nodiscard]] Reports& reports() { return reports_; }

  [[nodiscard]] std::deque<StateChange>& changes() { return changes_; }

  [[nodiscard]] std::deque<PresenceChange>& presences() { return presences_; }

  /// Of requests and calls that the program has.
  [[nodiscard]] std::deque<Cancellation>& cancellations() { return cancellations_; }

  /// Requests with their final outcome, for their callbacks.
  [[nodiscard]] std::vector<Resolved>& resolved() { return resolved_; }

  [[nodiscard]] std::size_t waiting_requests() const { return requests_.size(); }

  // --- What it wants from the broker ---------------------------------------------------------

  /// Says that it wants to get what is published to topics that match `what.pattern`, or so in
  /// place of what it said of it before. Returns the id of the answer. REQUIRES: is_topic_pattern.
  std::uint64_t subscribe(const Subscribe& what);
  std::uint64_t unsubscribe(std::string_view pattern);
  std::uint64_t offer(const Offer& what);
  std::uint64_t withdraw(std::string_view service);
  /// What others see of this peer from now on.
  std::uint64_t describe(Metadata metadata);

  /// Whether the broker has answered all that.
  [[nodiscard]] bool interests_settled() const { return interests_.settled(); }

  // --- The rest ------------------------------------------------------------------------------

  /// False: as many are watched as the broker allows.
  [[nodiscard]] bool watch(std::string_view pattern);

  /// Every final outcome is reported from now on, or again what the options ask for.
  void report_all(bool all) {
    report_successes_ = all || options_.outcomes == OutcomeReports::kAll;
    report_failures_ = all || options_.outcomes != OutcomeReports::kNone;
  }

  /// Says goodbye with the final counts, if there is a session, and is over.
  void close();
  [[nodiscard]] Statistics statistics() const;

 private:
  [[nodiscard]] bool may_flush() const { return !gathers_ && !sink_->busy(); }

  // Beyond it the oldest are forgotten: the broker ends them at their deadlines, by its own clock.
  static constexpr std::size_t kMostGivenUp = 1024;

  /// A request that took too long here, and may not there.
  struct GivenUp {
    std::uint64_t id = 0;
    bool repeated = false;  // The broker was told on two connections.
  };

  struct Watched {
    std::string pattern;
    std::uint64_t ping = 0;  // Sent right after it: its pong says that the broker knows.
  };

  // state.cpp
  void end_connection();
  void give_up(const Refusal& refusal);
  void end_all(const Failure& failure);
  void change(StateChange change);
  void on_welcome(const EnvelopeView& view);
  /// Envelopes the program will still take; nullopt: no end.
  [[nodiscard]] std::optional<std::uint64_t> demand() const;
  void tell_welcome(Continuation continuation, std::uint64_t unacknowledged);
  void on_refusal(const EnvelopeView& view);
  void give_up_requests(Time now);
  void say_cancels();
  void repeat_cancels();
  void watch_over(Time now);
  void say(Kind kind, Bytes body, std::uint64_t id = 0);
  std::uint64_t say_interest(Kind kind, std::string_view name, ByteBuffer body);
  void repeat_interests(bool resumed);
  void ping();
  void send_watch(Watched& watched);
  void say_doubts();
  void send_ack();

  // state_send.cpp
  [[nodiscard]] Ledger::Recipient& account(const Draft& draft);
  [[nodiscard]] const EnvelopePrefix& prefix(const Draft& draft, const Ledger::Recipient& to);
  [[nodiscard]] std::size_t frame_capacity() const;

  [[nodiscard]] bool admits(const Ledger::Recipient& to, std::uint64_t cost) const {
    return ledger_.admits(to, cost) && !others_first(to);
  }

  /// Whether something that was accepted before must go before anything new for `to`.
  [[nodiscard]] bool others_first(const Ledger::Recipient& to) const {
    return ledger_.resending() || (!reserve_.empty() && reserve_.holds(to.name));
  }

  void make_room(const Ledger::Recipient& to, std::size_t bytes);
  std::uint64_t finish_single(Ledger::Recipient& to, std::uint32_t bytes, bool request);
  [[nodiscard]] std::optional<std::uint64_t> try_plain(Ledger::Recipient& to,
                                                       const EnvelopePrefix& prefix, Bytes body);
  [[nodiscard]] std::size_t write_equals(Ledger::Recipient& to, const EnvelopePrefix& prefix,
                                         std::span<const Bytes> bodies);
  std::uint64_t write_draft(Ledger::Recipient& to, const EnvelopeFields& fields, std::size_t bound);
  void seal();
  void go_on_sending();
  void resend();
  void send_deferred();
  [[nodiscard]] bool send_deferred(const Draft& draft);
  void fail_deferred(const Draft& draft, Outcome outcome, std::string_view text);

  // state_receive.cpp
  void on_control(const EnvelopeView& view);
  void on_payload(EnvelopeView& view, std::optional<Time>& now);
  void on_reply(const EnvelopeView& view);
  void on_outcome(const EnvelopeView& view);
  void report_one(std::string_view to, std::uint64_t id, const OutcomeNotice& notice);
  void on_receipt(const EnvelopeView& view);
  void on_presence(const EnvelopeView& view);
  void on_cancel(const EnvelopeView& view);
  void apply_cancels();
  void on_pong(const EnvelopeView& view);
  void tell(const std::vector<Settlement>& settlements);
  void tell_request(std::uint64_t id, Outcome outcome, std::string_view text);
  void resolve(Resolver resolver, Answer<Message> answer);

  Options options_;
  std::string instance_;
  FrameSink* sink_;
  bool gathers_ = false;

  Phase phase_ = Phase::kDown;
  bool welcomed_ = false;
  Welcome welcome_;
  std::optional<Refusal> refusal_;
  Backoff backoff_;
  Time retry_at_ = Time::min();
  bool retry_known_ = true;
  Time greeting_ends_ = Time::max();
  Time last_tick_ = Time::min();
  Time last_heard_ = Time::min();
  Time last_ping_ = Time::min();
  Time last_ack_ = Time::min();
  bool heard_ = false;
  bool credit_report_due_ = false;  // Not yet told in an ack.
  bool demand_grew_ = false;        // Since the hello, which nobody answered yet.
  std::uint64_t pings_ = 0;

  Ledger ledger_;
  TopicPrefixes topics_;
  OpenFrame open_;
  std::uint64_t frames_closed_ = 0;
  Inbox inbox_;
  Requests requests_;
  std::vector<std::uint64_t> to_cancel_;  // The broker has not been told yet.
  std::deque<GivenUp> given_up_;
  ReplyReserve reserve_;
  Reports reports_;
  bool report_successes_ = false;
  bool report_failures_ = false;
  Interests interests_;
  std::deque<StateChange> changes_;
  std::deque<PresenceChange> presences_;
  std::deque<Cancellation> cancellations_;
  std::vector<Cancellation> cancels_;  // Of the frame at hand.
  bool has_deadlines_ = false;         // Some request came with one.
  Time welcomed_at_ = Time::min();
  std::vector<Resolved> resolved_;
  std::vector<Watched> watches_;
  std::vector<Settlement> settlements_;  // Scratch.
  ByteBuffer control_;                   // Scratch.
  Statistics statistics_;
};

}  // namespace zpost::peer
