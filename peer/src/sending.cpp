// The calls that send.
#include <algorithm>
#include <utility>

#include "peer/src/callback_scope.h"
#include "peer/src/impl.h"

namespace zpost::peer {
namespace {

/// While there is one, what is sent waits for company. Under the peer's lock.
class Gathering {
 public:
  Gathering(State& state, bool on) : state_(state) { state_.gather(on); }

  ~Gathering() { state_.gather(false); }

  Gathering(const Gathering&) = delete;
  Gathering& operator=(const Gathering&) = delete;

 private:
  State& state_;
};

}  // namespace

std::optional<Failure> Peer::Impl::closed() const {
  if (!closing_ && !over()) return std::nullopt;
  if (!state_.refusal()) return Failure{Fault::kClosed, Outcome::kNone, "the peer is closed"};
  const Refusal& refusal = *state_.refusal();
  return Failure{Fault::kClosed, refusal.code,
                 std::string(outcome_name(refusal.code)) + ": " + refusal.text};
}

std::optional<Failure> Peer::Impl::refuse(const Draft& draft) {
  if (auto failure = closed()) return failure;
  if (state_.surely_valid(draft)) [[likely]]
    return std::nullopt;
  return state_.invalid(draft);
}

std::optional<Failure> Peer::Impl::refuse_any(Draft draft, std::span<const Bytes> bodies) {
  if (bodies.empty()) return refuse(draft);
  // The longest stands for all, unless their content matters.
  const auto longest = std::ranges::max_element(bodies, {}, [](Bytes body) { return body.size(); });
  draft.body = *longest;
  if (auto failure = refuse(draft)) return failure;
  if (!draft.text) return std::nullopt;
  for (const Bytes body : bodies) {
    draft.body = body;
    if (auto failure = refuse(draft)) return failure;
  }
  return std::nullopt;
}

std::optional<Failure> Peer::Impl::await_credit(Lock& lock, const Draft& draft, Time deadline) {
  if (CallbackScope::active(this) || deadline == Time::min()) {
    state_.flush();
    saw_empty_ = false;  // A receipt may have arrived by now.
    after_send(lock);
    if (auto failure = refuse(draft)) return failure;
    if (state_.could_send(draft)) return std::nullopt;
    return Failure{Fault::kWouldBlock, Outcome::kNone, state_.obstacle(draft)};
  }
  const auto ready = [&, epoch = state_.welcome().epoch] {
    // A new session may have other limits.
    return closing_ || over() || state_.welcome().epoch != epoch || state_.could_send(draft);
  };
  if (wait(lock, deadline, Interruptible::kNo, ready) == Waited::kTimedOut) {
    leave(lock);
    return Failure{Fault::kTimedOut, Outcome::kNone, "timed out: " + state_.obstacle(draft)};
  }
  return refuse(draft);
}

void Peer::Impl::after_send(Lock& lock) {
  if (!drained()) {
    // About once a frame: receipts bring credit, and somebody may poll for an edge that is gone.
    ++activity_;
    drain();
    after_input(lock);
  }
  leave(lock);
}

Answer<std::uint64_t> Peer::Impl::send(const Draft& draft, milliseconds timeout) {
  Lock lock(mutex_);
  const Gathering gathering(state_, CallbackScope::goes_on(this));
  if (auto failure = refuse(draft)) return *std::move(failure);
  std::optional<std::uint64_t> id = state_.try_send(draft);
  if (!id) {
    const Time deadline = timeout == kNever ? Time::min() : deadline_after(Clock::now(), timeout);
    do {
      if (auto failure = await_credit(lock, draft, deadline)) {
        if (defer(lock, draft, *failure)) return kDeferred;
        return *std::move(failure);
      }
      id = state_.try_send(draft);
    } while (!id);
  }
  after_send(lock);
  return *id;
}

/// A request is taken when its callback returns: a reply that would block must not be lost with it.
bool Peer::Impl::defer(Lock& lock, const Draft& draft, const Failure& failure) {
  if (failure.fault != Fault::kWouldBlock || draft.kind != Kind::kReply) return false;
  if (!CallbackScope::active(this) || !state_.defer(draft)) return false;
  leave(lock);
  return true;
}

std::size_t Peer::Impl::try_span(Draft draft, std::span<const Bytes> bodies) {
  if (draft.plain()) return state_.try_send(draft, bodies);
  std::size_t sent = 0;
  for (; sent < bodies.size(); ++sent) {
    draft.body = bodies[sent];
    if (!state_.try_send(draft)) break;
  }
  return sent;
}

Answer<SentSpan> Peer::Impl::send_span(Draft draft, std::span<const Bytes> bodies,
                                       milliseconds timeout) {
  Lock lock(mutex_);
  const Gathering gathering(state_, CallbackScope::goes_on(this));
  if (auto failure = refuse_any(draft, bodies)) return *std::move(failure);
  SentSpan sent{state_.next_id(), 0};
  std::optional<Time> deadline;
  std::uint64_t epoch = state_.welcome().epoch;
  for (;;) {
    sent.count += try_span(draft, bodies.subspan(sent.count));
    if (sent.count == bodies.size()) break;
    if (!deadline) deadline = deadline_after(Clock::now(), timeout);
    draft.body = bodies[sent.count];
    auto failure = await_credit(lock, draft, *deadline);
    if (!failure && epoch != state_.welcome().epoch) {
      epoch = state_.welcome().epoch;  // With other limits, perhaps.
      failure = refuse_any(draft, bodies.subspan(sent.count));
    }
    if (failure && sent.count == 0) return *std::move(failure);
    if (failure) break;
    if (sent.count == 0) sent.first = state_.next_id();
    // Somebody else's envelopes went in between: the ids would not be consecutive any more.
    if (state_.next_id() != sent.first + sent.count) break;
  }
  after_send(lock);
  return sent;
}

Answer<std::uint64_t> Peer::Impl::request(Draft draft, milliseconds credit_timeout,
                                          milliseconds timeout, Replies replies,
                                          Resolver resolver) {
  const Time now = Clock::now();
  const Time deadline = deadline_after(now, timeout);
  const Time credit_deadline = std::min(deadline, deadline_after(now, credit_timeout));
  Lock lock(mutex_);
  const Gathering gathering(state_, CallbackScope::goes_on(this));
  // By the clock of the broker that gets it; which answers at once what is its own.
  const auto date = [&] {
    if (!draft.to.empty()) draft.meta.deadline_ns = state_.broker_time(deadline);
  };
  date();
  if (auto failure = refuse(draft)) return *std::move(failure);
  std::optional<std::uint64_t> id = state_.try_send(draft);
  while (!id) {
    if (auto failure = await_credit(lock, draft, credit_deadline)) return *std::move(failure);
    date();
    id = state_.try_send(draft);
  }
  state_.expect_reply(
      {*id, draft.to, draft.kind == Kind::kCall, replies == Replies::kMany, deadline},
      std::move(resolver));
  // Nobody but the background thread may be there to hear the reply, and the deadline is its to
  // keep.
  const bool unheard = pumper_ == nullptr && rest_ != Rest::kSocket;
  if (unheard || deadline < rest_until_) kick_background();
  after_send(lock);
  return *id;
}

Answer<void> Peer::Impl::cancel(std::uint64_t id) {
  Lock lock(mutex_);
  if (auto failure = closed()) return *std::move(failure);
  if (!state_.cancel(id)) {
    return Failure{Fault::kInvalid, Outcome::kNone,
                   "request " + std::to_string(id) + ": none of this id waits for a reply"};
  }
  after_send(lock);
  return {};
}

void Peer::Impl::flush() {
  Lock lock(mutex_);
  state_.flush();
  after_send(lock);
}

bool Peer::Impl::wait_settled(milliseconds timeout) {
  Lock lock(mutex_);
  if (CallbackScope::active(this)) return settled();
  wait(lock, deadline_after(Clock::now(), timeout), Interruptible::kYes,
       [this] { return settled() || over(); });
  leave(lock);
  return settled();
}

}  // namespace zpost::peer
