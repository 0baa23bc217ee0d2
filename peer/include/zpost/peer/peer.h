// A named peer of a zpost broker: the client library's one class. SPEC.md is the wire.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "zpost/peer/message.h"
#include "zpost/peer/options.h"

namespace zpost::peer {

using std::chrono::milliseconds;

struct Draft;  // Of the library's own.

/// Wait without limit.
inline constexpr milliseconds kForever = milliseconds::max();

/// Instead of an id: the reply waits for credit. See Peer::reply().
inline constexpr std::uint64_t kDeferred = 0;

struct SendOptions {
  std::string_view content_type{};  // Read during the call only.
  bool text = false;                // Sends the body as a msgpack str; it must be UTF-8.
  bool stamp = false;               // Puts this machine's clock into meta `sent`.
  milliseconds timeout = kForever;  // How long to wait for credit.
  bool more = false;                // Replies only: others to the same request follow.
  /// Calls only: it may be done more than once, so that the broker hands it to another worker when
  /// the one that had it vanished.
  bool idempotent = false;
  /// A W3C traceparent, at most 256 bytes, which goes along in the meta: whoever receives it, and
  /// the inspector, can tell of which trace it is. Read during the call only.
  std::string_view trace{};
};

struct PublishOptions {
  std::string_view content_type{};  // Read during the call only.
  bool text = false;                // Sends the body as a msgpack str; it must be UTF-8.
  bool stamp = false;               // Puts this machine's clock into meta `sent`.
  /// Keeps it as the topic's value, which later subscribers get first; an empty body clears that.
  bool retain = false;
  /// Its outcome comes with the number of subscribers whose queue took it, whatever
  /// Options::outcomes says. It costs a notice, which publishes without it do not.
  bool wants_count = false;
  /// When nobody subscribes, the outcome is `no-subscriber` instead of `delivered`.
  bool needs_subscriber = false;
  milliseconds timeout = kForever;  // How long to wait for credit.
  std::string_view trace{};         // As of SendOptions.
};

struct SubscribeOptions {
  /// What the broker does when more waits for this peer than limits.topic_queue: drop the oldest
  /// (a gap mark says how many), make publishers wait, or end this peer's session.
  SlowPolicy policy = SlowPolicy::kDropOldest;
  bool excludes_own = false;  // Not what this peer publishes itself.
  bool retained = true;       // The values kept of matching topics first.
};

/// Ids of a span that was sent: `first`, `first + 1`, … `count` of them.
struct SentSpan {
  std::uint64_t first = 0;
  std::size_t count = 0;
};

/// A session with a broker under one name.
///
/// Threads: every member may be called from any thread at any time unless it says otherwise.
/// Calls from several threads are serialized inside; each envelope's place in the order of its
/// pair is the order in which send calls got in. A background thread answers pings, sends acks and
/// reconnects while no call is at work; callbacks run on the thread named at each.
///
/// Callbacks may make any call. Of the peer that calls back none blocks: what would have to wait is
/// kWouldBlock, false or nothing. What callbacks of requests send goes out together when the last
/// of those that are due has returned, or after a millisecond. Other peers' calls work as
/// everywhere. Callbacks of requests, outcomes and states may run on any thread, so that nobody
/// could catch what they throw: an exception that leaves them ends the program (std::terminate). A
/// peer must not be destroyed or assigned to inside one of its own callbacks: that ends the
/// program, too, with a word on stderr.
class Peer {
 public:
  /// Connects and waits for the welcome.
  /// Errors: kInvalid (an option, with its value and limit), kUnreachable (with endpoint and
  /// advice), kRefused (outcome and the broker's words), kExhausted.
  [[nodiscard]] static Answer<Peer> connect(Options options);

  Peer(Peer&&) noexcept;
  Peer& operator=(Peer&&) noexcept;
  /// Closes with a timeout of one second if close() was not called. REQUIRES: no call is at work.
  ~Peer();

  [[nodiscard]] const std::string& name() const;
  [[nodiscard]] const std::string& endpoint() const;
  /// The latest welcome: limits, run, epoch.
  [[nodiscard]] Welcome welcome() const;

  // --- Sending -----------------------------------------------------------------------------------

  /// Sends `body` to `to`. The bytes are copied during the call. Blocks while this recipient (or
  /// the peer as a whole) has no credit, up to options.timeout; other recipients are not affected.
  /// Inside a callback of this peer it never blocks: kWouldBlock. Returns the envelope's id: it has
  /// one final outcome from now on. While disconnected it still accepts what credit allows and
  /// sends it after reconnecting. What is sent again after the broker restarted goes first, and if
  /// its next recipient takes nothing, the text of kTimedOut or kWouldBlock names it. Errors:
  /// kInvalid (name, size), kWouldBlock, kTimedOut, kClosed.
  Answer<std::uint64_t> send(std::string_view to, Bytes body, const SendOptions& options = {});

  /// As send, but kWouldBlock instead of waiting.
  Answer<std::uint64_t> try_send(std::string_view to, Bytes body, const SendOptions& options = {});

  /// Sends many bodies to one recipient in one go: the fastest way. Blocks for credit in between;
  /// on kTimedOut or kWouldBlock `count` of what was sent is in the value (it may be fewer than
  /// asked, then the rest was not sent). It is fewer as well when another thread's envelopes went
  /// in between, since the ids would not be consecutive. Errors only if nothing was sent.
  Answer<SentSpan> send(std::string_view to, std::span<const Bytes> bodies,
                        const SendOptions& options = {});

  /// Puts everything that waits for company in a frame on the way now. Calls return once libzmq has
  /// it. Rarely needed: an idle link sends at once, a busy one when the next frame goes.
  void flush();

  /// Blocks until every envelope sent so far has its final outcome, and every subscription its
  /// answer, or the timeout. True: all settled.
  bool wait_settled(milliseconds timeout);

  /// Outcomes, as Options::outcomes asks for them, oldest first; those of requests are told to
  /// whoever asked instead. Blocks up to `timeout`; nothing: timed out, interrupted or closed.
  [[nodiscard]] std::optional<OutcomeReport> next_outcome(milliseconds timeout);

  /// Calls back with every final outcome, whatever Options::outcomes says, instead of queueing it.
  /// On the thread that settles it (the background thread or one inside a call); should not block,
  /// since nothing of this peer goes on meanwhile. Set before sending. Without a function: queues
  /// them again, as Options::outcomes says.
  void on_outcome(std::function<void(const OutcomeReport&)> callback);

  // --- Topics (SPEC.md, section 16) --------------------------------------------------------------

  /// Publishes `body` to `topic`: segments like names joined by `/`. Everyone whose subscription
  /// matches gets it; its outcome is `delivered` when their queues have it, and does not wait for
  /// them to take it. Blocks for credit and returns as send does; all that a peer publishes shares
  /// one pair limit, whatever the topic. Errors as send.
  Answer<std::uint64_t> publish(std::string_view topic, Bytes body,
                                const PublishOptions& options = {});

  /// As publish, but kWouldBlock instead of waiting.
  Answer<std::uint64_t> try_publish(std::string_view topic, Bytes body,
                                    const PublishOptions& options = {});

  /// Publishes many bodies to one topic in one go, as send does to one recipient.
  Answer<SentSpan> publish(std::string_view topic, std::span<const Bytes> bodies,
                           const PublishOptions& options = {});

  /// Asks for what is published to topics that match `pattern`: a topic with `*` for a segment, or
  /// a final `**` for all the rest. It is received as other envelopes are, of kind kPublish, once
  /// however many patterns match; where some were dropped there is one of kind kGap instead (see
  /// Message::gap, gap_of). In place before anything that is published afterwards from here, and
  /// kept across reconnects. To say a pattern again changes its options. Returns an id at once:
  /// the broker's answer is told as an outcome with that id, failures (`full`: it has too many) as
  /// Options::outcomes says; wait_settled() waits for it. A later session that refuses it tells so
  /// under the same id. Errors: kInvalid, kClosed.
  Answer<std::uint64_t> subscribe(std::string_view pattern, const SubscribeOptions& options = {});

  /// Ends the subscription to exactly this pattern. What is on its way still comes. Answered and
  /// fails as subscribe(); to end what was not there is no failure.
  Answer<std::uint64_t> unsubscribe(std::string_view pattern);

  // --- Request and reply -------------------------------------------------------------------------

  /// Sends a request and resolves with the reply, or fails: kFailed with the outcome (no-peer,
  /// rejected with the recipient's words, lost, no-reply, …), kTimedOut after `timeout`, which the
  /// broker and the recipient know as its deadline, kClosed. (What timed out here is cancelled
  /// there as well; of more than 1,024 that do so without a connection the oldest are not: the
  /// broker lets them expire by its own clock, and whoever has one may work on it that long.) To
  /// the empty name it asks the broker (SPEC.md, section 11). Before it returns it blocks for
  /// credit as send does, up to the smaller of options.timeout and `timeout`. Why it was not sent
  /// comes through the future as well: errors as send. Waiting for the future inside a callback of
  /// this peer blocks for ever.
  [[nodiscard]] std::future<Answer<Message>> request(std::string_view to, Bytes body,
                                                     milliseconds timeout,
                                                     const SendOptions& options = {});

  /// The same with a callback, called exactly once, on the background thread or one inside a call
  /// of this peer; it should not block, since nothing of this peer goes on meanwhile. Returns the
  /// request's id, or why it was not sent (then no callback): errors as send, and kInvalid without
  /// a callback.
  Answer<std::uint64_t> request(std::string_view to, Bytes body, milliseconds timeout,
                                std::function<void(Answer<Message>)> callback,
                                const SendOptions& options = {});

  /// A request with any number of replies: calls back with each in its order, as above. The last
  /// has Message::more false; a failure is the last as well. `timeout` is for all of them. (A
  /// request() takes the first reply of such a responder and cancels the rest.) Errors as
  /// request().
  Answer<std::uint64_t> request_stream(std::string_view to, Bytes body, milliseconds timeout,
                                       std::function<void(Answer<Message>)> callback,
                                       const SendOptions& options = {});

  /// Asks the broker to end a request or call that has no outcome yet; `id` is what the call with a
  /// callback returned. Its outcome is `cancelled` when the broker says so, unless a reply comes
  /// first. Whoever has it is told (see next_cancellation()). Errors: kInvalid, when none of this
  /// id waits for a reply; kClosed.
  Answer<void> cancel(std::uint64_t id);

  // --- Services (SPEC.md, section 17) ------------------------------------------------------------

  /// Takes calls of `service`, at most `capacity` without a reply at a time. They are received as
  /// requests are, of kind kCall with the service in Message::to, and replied to in the same way.
  /// Kept across reconnects; said again it changes the capacity. Returns an id at once, answered as
  /// that of subscribe(). Errors: kInvalid, kClosed.
  Answer<std::uint64_t> offer(std::string_view service, std::uint64_t capacity = 1);

  /// Takes no more calls of `service`; what it has in hand stays its own. As offer().
  Answer<std::uint64_t> withdraw(std::string_view service);

  /// As request(), but to whoever offers `service`: the broker chooses, and a call waits there
  /// until a worker has room. Fails with `no-worker` when nobody offers it.
  [[nodiscard]] std::future<Answer<Message>> call(std::string_view service, Bytes body,
                                                  milliseconds timeout,
                                                  const SendOptions& options = {});
  Answer<std::uint64_t> call(std::string_view service, Bytes body, milliseconds timeout,
                             std::function<void(Answer<Message>)> callback,
                             const SendOptions& options = {});
  Answer<std::uint64_t> call_stream(std::string_view service, Bytes body, milliseconds timeout,
                                    std::function<void(Answer<Message>)> callback,
                                    const SendOptions& options = {});

  /// The next request or call this program has (or had) that needs no reply any more; nothing:
  /// timed out, closed, or interrupted. Those it has not received yet never come. The oldest of
  /// more than 1,024 that wait are dropped. From the first call on descriptor() is for these as
  /// well.
  [[nodiscard]] std::optional<Cancellation> next_cancellation(milliseconds timeout);

  /// Replies to a received request or call: sends, and blocks for credit, as send does. Inside a
  /// callback, where nothing blocks, a reply without credit is kept and sent when there is: then
  /// kDeferred is returned instead of an id, which comes later, as does its outcome. Up to 1,024
  /// replies of 1 MiB in all are kept, and a quarter of that for one recipient; beyond it
  /// kWouldBlock. What still waits at close() is `lost`. Errors as send.
  Answer<std::uint64_t> reply(const Message& request, Bytes body, const SendOptions& options = {});
  Answer<std::uint64_t> reply(std::string_view to, std::uint64_t in_reply_to, Bytes body,
                              const SendOptions& options = {});
  /// Says no to a received request; the requester's outcome is `rejected` with `reason`, which must
  /// be UTF-8. Blocks, or is deferred, as reply(). Errors as send.
  Answer<std::uint64_t> reject(std::string_view to, std::uint64_t in_reply_to,
                               std::string_view reason, const SendOptions& options = {});

  // --- Receiving (replies to one's own requests go to the requests, not here) --------------------

  /// The next message. Nothing: timed out, closed, or interrupted. At most one thread at a time may
  /// receive (receive, receive_batch or run).
  [[nodiscard]] std::optional<Message> receive(milliseconds timeout);

  /// Replaces `batch` by what has arrived, at least one and at most `max` envelopes, without a
  /// copy; waits up to `timeout` for the first. False: timed out, closed, or interrupted.
  bool receive_batch(Batch& batch, milliseconds timeout, std::size_t max = SIZE_MAX);

  /// Calls `callback` for every envelope on the calling thread until it returns false, interrupt(),
  /// or the peer is closed. The view is valid during the call. Taken when the callback returns.
  /// What the callback throws leaves run(); its envelope then counts as one that receive()
  /// returned: taken at the next receive, run or clean close. REQUIRES: a callback.
  void run(const std::function<bool(const EnvelopeView&)>& callback);

  /// With TakeMode::kExplicit: everything received so far is taken. Else the same, ahead of time.
  void take();

  /// Takes `count` envelopes more than Options::demand said, 2^64 - 1 in all at most. Without that,
  /// no effect.
  void add_demand(std::uint64_t count);

  /// A descriptor that is readable while there is something to receive, an outcome report, a state
  /// change or a presence change. For poll(2) only; owned by the peer. Edge-free: level-triggered.
  [[nodiscard]] int descriptor() const;

  /// Makes a blocked receive, run, next_* or wait_settled return; if none is blocked, the next one
  /// that would. Async-signal-safe.
  void interrupt();

  // --- Others and oneself ------------------------------------------------------------------------

  /// Someone with a session, or expected back: an entry of the broker's reply to `who`.
  struct PeerInfo {
    std::string name;
    std::string instance;  // 32 hex digits.
    std::string software;
    std::string state;                // SPEC.md, section 11: `active`, `away` or `expected`.
    std::uint64_t since_ns = 0;       // Of the session, since 1970.
    std::uint64_t queued = 0;         // Envelopes that wait for it at the broker …
    std::uint64_t queued_bytes = 0;   // … and their bytes.
    std::uint64_t unacked = 0;        // Envelopes it was sent and has not acknowledged.
    std::uint64_t oldest_ns = 0;      // When the oldest of both came, since 1970; 0: none did.
    std::uint64_t sent = 0;           // Envelopes the broker has from it …
    std::uint64_t received = 0;       // … and those it took.
    bool acks = false;                // Whether it acknowledges.
    std::uint64_t last_seen_ns = 0;   // When the broker heard of it last, since 1970.
    std::string address;              // Where it connects from; empty while it is not.
    std::uint64_t sent_rate = 0;      // Envelopes from it in the latest second …
    std::uint64_t received_rate = 0;  // … and those it took.
    std::uint64_t subscriptions = 0;  // Patterns of topics.
    std::vector<std::string> offers;  // Services.
    Metadata metadata;
  };

  /// Asks the broker who is there, within `timeout` in all. Errors as request(), kFailed when the
  /// answer cannot be read, kWouldBlock inside a callback.
  [[nodiscard]] Answer<std::vector<PeerInfo>> who(milliseconds timeout);

  /// Asks to be told of the coming and going of peers that match `pattern` (a name, or a prefix
  /// followed by `*`). Kept across reconnects.
  Answer<void> watch(std::string_view pattern);

  /// What others see of this peer (Options::metadata) from now on; whoever watches it is told.
  /// Returns an id at once, answered as that of subscribe(). Errors: kInvalid, kClosed.
  Answer<std::uint64_t> describe(const Metadata& metadata);

  /// The next presence change; nothing: timed out, closed, or interrupted. Not counted as
  /// receiving. Of more than 65,536 that wait the oldest are dropped, and counted in Statistics.
  [[nodiscard]] std::optional<PresenceChange> next_presence(milliseconds timeout);

  /// The next change of state, oldest first; nothing: timed out, closed, or interrupted. Of more
  /// than 1,024 that wait the oldest are dropped, and counted in Statistics.
  [[nodiscard]] std::optional<StateChange> next_state(milliseconds timeout);
  /// Calls back on changes instead, on the thread that notices; should not block. Without a
  /// function: queues them again.
  void on_state(std::function<void(const StateChange&)> callback);

  [[nodiscard]] bool connected() const;
  [[nodiscard]] Statistics statistics() const;

  /// Takes what was received by the program (with TakeMode::kOnNextReceive), waits up to `timeout`
  /// until everything sent is settled, says goodbye and leaves, within `timeout` and half a second.
  /// True: all was settled. What was not is `lost` then, told as every outcome (on_outcome(), or
  /// next_outcome() afterwards): it may arrive or not. Later calls return kClosed. Called again, or
  /// by several threads, it waits up to its own `timeout` for the first to finish and says the
  /// same, or false. Inside a callback of this peer it does nothing, and true means that all is
  /// settled.
  bool close(milliseconds timeout);

 private:
  class Impl;
  explicit Peer(std::unique_ptr<Impl> impl);
  [[nodiscard]] std::future<Answer<Message>> ask(const Draft& draft, milliseconds timeout,
                                                 const SendOptions& options);
  std::unique_ptr<Impl> impl_;
};

}  // namespace zpost::peer
