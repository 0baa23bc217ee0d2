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

/// Wait without limit.
inline constexpr milliseconds kForever = milliseconds::max();

struct SendOptions {
  std::string_view content_type{};  // Read during the call only.
  bool text = false;                // Sends the body as a msgpack str; it must be UTF-8.
  bool stamp = false;               // Puts this machine's clock into meta `sent`.
  milliseconds timeout = kForever;  // How long to wait for credit.
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
class Peer {
 public:
  /// Connects and waits for the welcome.
  /// Errors: kInvalid (name, endpoint, metadata), kUnreachable (with endpoint and advice),
  /// kRefused (outcome and the broker's words).
  [[nodiscard]] static Answer<Peer> connect(Options options);

  Peer(Peer&&) noexcept;
  Peer& operator=(Peer&&) noexcept;
  /// Closes with a timeout of one second if close() was not called.
  ~Peer();

  [[nodiscard]] const std::string& name() const;
  [[nodiscard]] const std::string& endpoint() const;
  /// The latest welcome: limits, run, epoch.
  [[nodiscard]] Welcome welcome() const;

  // --- Sending -----------------------------------------------------------------------------------

  /// Sends `body` to `to`. The bytes are copied during the call. Blocks while this recipient (or
  /// the peer as a whole) has no credit, up to options.timeout; other recipients are not affected.
  /// Inside a callback it never blocks: kWouldBlock. Returns the envelope's id: it has one final
  /// outcome from now on. While disconnected it still accepts what credit allows and sends it
  /// after reconnecting. Errors: kInvalid (name, size), kWouldBlock, kTimedOut, kClosed.
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

  /// Blocks until every envelope sent so far has its final outcome, or the timeout.
  /// True: all settled.
  bool wait_settled(milliseconds timeout);

  /// Outcomes, as Options::outcomes asks for them, oldest first; those of requests are told to
  /// whoever asked instead. Blocks up to `timeout`; nothing: timed out, interrupted or closed.
  [[nodiscard]] std::optional<OutcomeReport> next_outcome(milliseconds timeout);

  /// Calls back with every final outcome, whatever Options::outcomes says, instead of queueing it.
  /// On the thread that settles it (the background thread or one inside a call); must not block or
  /// throw. Set before sending.
  void on_outcome(std::function<void(const OutcomeReport&)> callback);

  // --- Request and reply -------------------------------------------------------------------------

  /// Sends a request and resolves with the reply, or fails: kFailed with the outcome (no-peer,
  /// rejected with the recipient's words, lost, …), kTimedOut after `timeout`. To the empty name
  /// it asks the broker (SPEC.md, section 11).
  [[nodiscard]] std::future<Answer<Message>> request(std::string_view to, Bytes body,
                                                     milliseconds timeout,
                                                     const SendOptions& options = {});

  /// The same with a callback, called exactly once, on the background thread or one inside a call
  /// of this peer. Returns the request's id, or why it was not sent (then no callback).
  Answer<std::uint64_t> request(std::string_view to, Bytes body, milliseconds timeout,
                                std::function<void(Answer<Message>)> callback,
                                const SendOptions& options = {});

  /// Replies to a received request. Errors as send.
  Answer<std::uint64_t> reply(const Message& request, Bytes body, const SendOptions& options = {});
  Answer<std::uint64_t> reply(std::string_view to, std::uint64_t in_reply_to, Bytes body,
                              const SendOptions& options = {});
  /// Says no to a received request; the requester's outcome is `rejected` with `reason`.
  /// Of the options only the timeout counts. Errors as send.
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
  void run(const std::function<bool(const EnvelopeView&)>& callback);

  /// With TakeMode::kExplicit: everything received so far is taken. Else the same, ahead of time.
  void take();

  /// Takes `count` envelopes more than Options::demand said. Without that, no effect.
  void add_demand(std::uint64_t count);

  /// A descriptor that is readable while there is something to receive, an outcome report, a state
  /// change or a presence change. For poll(2) only; owned by the peer. Edge-free: level-triggered.
  [[nodiscard]] int descriptor() const;

  /// Makes a blocked receive, run, next_* or wait_settled return; if none is blocked, the next one
  /// that would. Async-signal-safe.
  void interrupt();

  // --- Others and oneself ------------------------------------------------------------------------

  /// Who is connected: the broker's reply to `who`, decoded.
  struct PeerInfo {
    std::string name, instance, software, state;
    std::uint64_t since_ns = 0, queued = 0, queued_bytes = 0, unacked = 0, sent = 0, received = 0;
    bool acks = false;
    Metadata metadata;
  };

  [[nodiscard]] Answer<std::vector<PeerInfo>> who(milliseconds timeout);

  /// Asks to be told of the coming and going of peers that match `pattern` (a name, or a prefix
  /// followed by `*`). Kept across reconnects.
  Answer<void> watch(std::string_view pattern);

  /// The next presence change; nothing: timed out, closed, or interrupted. Not counted as
  /// receiving.
  [[nodiscard]] std::optional<PresenceChange> next_presence(milliseconds timeout);

  /// The next change of state, oldest first; nothing: timed out, closed, or interrupted.
  [[nodiscard]] std::optional<StateChange> next_state(milliseconds timeout);
  /// Calls back on changes instead, on the thread that notices; must not block or throw.
  void on_state(std::function<void(const StateChange&)> callback);

  [[nodiscard]] bool connected() const;
  [[nodiscard]] Statistics statistics() const;

  /// Takes what was received by the program, waits up to `timeout` until everything sent is
  /// settled, says goodbye and leaves, within `timeout` and half a second. True: all was settled.
  /// Later calls return kClosed. Must not be called from a callback (there it does nothing).
  bool close(milliseconds timeout);

 private:
  class Impl;
  explicit Peer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace zpost::peer
