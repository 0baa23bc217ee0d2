// The calls that fetch: messages, outcomes, presence, changes of state.
#include <utility>

#include "peer/src/batch_builder.h"
#include "peer/src/callback_scope.h"
#include "peer/src/impl.h"
#include "zpost/protocol/names.h"

namespace zpost::peer {

void Peer::Impl::begin_receive() {
  if (options_.take != TakeMode::kOnNextReceive) return;
  state_.inbox().take();
  state_.ack_if_urgent();
}

bool Peer::Impl::await_message(Lock& lock, Time deadline) {
  const auto ready = [this] { return !state_.inbox().empty() || closing_ || over(); };
  if (!ready()) {
    given_.reset();
    wait(lock, deadline, Interruptible::kYes, ready);
  }
  if (!state_.inbox().empty() && !closing_ && !over()) return true;
  leave(lock);
  return false;
}

std::optional<Message> Peer::Impl::receive(milliseconds timeout) {
  Lock lock(mutex_);
  std::optional<Time> deadline;
  for (;;) {
    begin_receive();
    if (!deadline && state_.inbox().empty()) deadline = deadline_after(Clock::now(), timeout);
    if (!await_message(lock, deadline.value_or(Time::min()))) return std::nullopt;
    const EnvelopeView view = state_.inbox().give_one(given_);
    std::optional<Time> now;
    if (state_.has_deadlines() && state_.too_late(view, now)) continue;
    std::optional<Message> message = make_message(view);
    leave(lock);
    return message;
  }
}

bool Peer::Impl::receive_batch(Batch& batch, milliseconds timeout, std::size_t max) {
  BatchBuilder builder(batch);
  builder.clear();
  Lock lock(mutex_);
  if (max == 0) {
    begin_receive();
    return false;
  }
  std::optional<Time> deadline;
  do {
    begin_receive();
    if (!deadline && state_.inbox().empty()) deadline = deadline_after(Clock::now(), timeout);
    if (!await_message(lock, deadline.value_or(Time::min()))) return false;
    state_.inbox().give(max, builder.views(), builder.frames());
    if (state_.has_deadlines()) {
      std::optional<Time> now;
      std::erase_if(builder.views(),
                    [&](const EnvelopeView& view) { return state_.too_late(view, now); });
    }
  } while (builder.views().empty());
  leave(lock);
  return true;
}

void Peer::Impl::run(const std::function<bool(const EnvelopeView&)>& callback) {
  Keeper frame;
  bool more = true;
  while (more) {
    Lock lock(mutex_);
    begin_receive();
    if (interrupted(noticed_interrupts_) || !await_message(lock, Time::max())) return;
    const EnvelopeView view = state_.inbox().give_one(frame);
    std::optional<Time> now;
    const bool unwanted = state_.has_deadlines() && state_.too_late(view, now);
    leave(lock);
    if (unwanted) continue;
    lock.unlock();
    const CallbackScope scope(this);
    more = callback(view);
  }
  Lock lock(mutex_);
  begin_receive();
  leave(lock);
}

void Peer::Impl::take() {
  Lock lock(mutex_);
  state_.inbox().take();
  state_.ack_if_urgent();
  after_send(lock);
}

void Peer::Impl::add_demand(std::uint64_t count) {
  Lock lock(mutex_);
  state_.add_demand(count);
  after_send(lock);
}

// --- What waits in queues ------------------------------------------------------------------------

std::optional<OutcomeReport> Peer::Impl::next_outcome(milliseconds timeout) {
  Lock lock(mutex_);
  if (state_.reports().empty()) {
    wait(lock, deadline_after(Clock::now(), timeout), Interruptible::kYes,
         [this] { return (!state_.reports().empty() && !on_outcome_) || over(); });
  }
  std::optional<OutcomeReport> report;
  if (!on_outcome_) report = state_.reports().next();
  leave(lock);
  return report;
}

template <typename Queue>
auto Peer::Impl::next_of(Queue& queue, milliseconds timeout)
    -> std::optional<typename Queue::value_type> {
  Lock lock(mutex_);
  if (queue.empty()) {
    wait(lock, deadline_after(Clock::now(), timeout), Interruptible::kYes,
         [&] { return !queue.empty() || over(); });
  }
  std::optional<typename Queue::value_type> next;
  if (!queue.empty()) {
    next = std::move(queue.front());
    queue.pop_front();
  }
  leave(lock);
  return next;
}

std::optional<PresenceChange> Peer::Impl::next_presence(milliseconds timeout) {
  return next_of(state_.presences(), timeout);
}

std::optional<StateChange> Peer::Impl::next_state(milliseconds timeout) {
  return next_of(state_.changes(), timeout);
}

std::optional<Cancellation> Peer::Impl::next_cancellation(milliseconds timeout) {
  {
    const Lock lock(mutex_);
    cancellations_used_ = true;
  }
  return next_of(state_.cancellations(), timeout);
}

int Peer::Impl::descriptor() {
  Lock lock(mutex_);
  readable_used_ = true;
  kick_background();  // Whoever polls the descriptor does not poll the socket.
  leave(lock);
  return readable_.descriptor();
}

void Peer::Impl::interrupt() {
  interrupts_.fetch_add(1, std::memory_order_release);
  wake_.signal();
  background_wake_.signal();
}

void Peer::Impl::on_outcome(std::function<void(const OutcomeReport&)> callback) {
  Lock lock(mutex_);
  on_outcome_ = std::move(callback);
  state_.report_all(on_outcome_ != nullptr);
  leave(lock);
}

void Peer::Impl::on_state(std::function<void(const StateChange&)> callback) {
  Lock lock(mutex_);
  on_state_ = std::move(callback);
  leave(lock);
}

Answer<void> Peer::Impl::watch(std::string_view pattern) {
  Lock lock(mutex_);
  if (auto failure = closed()) return *std::move(failure);
  if (!is_name_pattern(pattern)) {
    return Failure{Fault::kInvalid, Outcome::kNone,
                   "pattern \"" + std::string(pattern) + "\": a name, or a prefix followed by *"};
  }
  if (!state_.watch(pattern)) {
    return Failure{Fault::kInvalid, Outcome::kNone, "more than 64 patterns"};
  }
  after_send(lock);
  return {};
}

// --- Topics, services, metadata ------------------------------------------------------------------

namespace {

std::optional<Failure> invalid_service(std::string_view service) {
  if (is_name(service)) return std::nullopt;
  return Failure{
      Fault::kInvalid, Outcome::kNone,
      "service \"" + std::string(service) + "\": a service is [A-Za-z0-9][A-Za-z0-9._-]{0,63}"};
}

std::optional<Failure> invalid_pattern(std::string_view pattern) {
  if (is_topic_pattern(pattern)) return std::nullopt;
  return Failure{Fault::kInvalid, Outcome::kNone,
                 "pattern \"" + std::string(pattern) +
                     "\": a topic whose segments may be *, and the last one **"};
}

}  // namespace

template <typename Say>
Answer<std::uint64_t> Peer::Impl::say_interest(std::optional<Failure> invalid, Say say) {
  if (invalid) return *std::move(invalid);
  Lock lock(mutex_);
  if (auto failure = closed()) return *std::move(failure);
  const std::uint64_t id = say();
  after_send(lock);
  return id;
}

Answer<std::uint64_t> Peer::Impl::subscribe(const Subscribe& what) {
  return say_interest(invalid_pattern(what.pattern), [&] { return state_.subscribe(what); });
}

Answer<std::uint64_t> Peer::Impl::unsubscribe(std::string_view pattern) {
  return say_interest(invalid_pattern(pattern), [&] { return state_.unsubscribe(pattern); });
}

Answer<std::uint64_t> Peer::Impl::offer(const Offer& what) {
  std::optional<Failure> invalid = invalid_service(what.service);
  if (!invalid && what.capacity == 0) {
    invalid = Failure{Fault::kInvalid, Outcome::kNone, "capacity: 0, the least is 1"};
  }
  return say_interest(std::move(invalid), [&] { return state_.offer(what); });
}

Answer<std::uint64_t> Peer::Impl::withdraw(std::string_view service) {
  return say_interest(invalid_service(service), [&] { return state_.withdraw(service); });
}

Answer<std::uint64_t> Peer::Impl::describe(const Metadata& metadata) {
  return say_interest(std::nullopt, [&] { return state_.describe(metadata); });
}

}  // namespace zpost::peer
