// Waiting: how threads share one socket without handing anything to each other.
#include <poll.h>

#include <algorithm>
#include <atomic>
#include <ctime>
#include <utility>

#include "peer/src/callback_scope.h"
#include "peer/src/impl.h"
#include "peer/src/polling.h"

namespace zpost::peer {
namespace {

constexpr std::chrono::microseconds kMostGathering{1000};

/// Calls a function when its scope is left, by an exception as well.
template <typename Function>
class OnLeaving {
 public:
  explicit OnLeaving(Function function) : function_(std::move(function)) {}

  ~OnLeaving() { function_(); }

  OnLeaving(const OnLeaving&) = delete;
  OnLeaving& operator=(const OnLeaving&) = delete;

 private:
  Function function_;
};

}  // namespace

void poll_until(pollfd* descriptors, std::size_t count, Time deadline) {
  if (deadline == Time::max()) {
    (void)::poll(descriptors, count, -1);
    return;
  }
  const Time now = Clock::now();
  const auto left = deadline > now ? deadline - now : Clock::duration::zero();
  const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(left).count();
  const timespec timeout{static_cast<std::time_t>(nanoseconds / 1'000'000'000),
                         static_cast<long>(nanoseconds % 1'000'000'000)};
  (void)::ppoll(descriptors, count, &timeout, nullptr);
}

// --- Input ---------------------------------------------------------------------------------------

bool Peer::Impl::receive_frame() {
  if (!frame_ || frame_.use_count() != 1) frame_ = std::make_shared<ReceivedFrame>();
  std::atomic_thread_fence(std::memory_order_acquire);  // Whoever shared it is done with it.
  saw_empty_ = !link_.receive(*frame_);
  saw_empty_sends_ = link_.sends();
  if (saw_empty_) return false;
  state_.handle(frame_->bytes(), frame_);
  return true;
}

bool Peer::Impl::drained() const {
  // A send may swallow the edge of the socket's descriptor, so that only an empty receive after the
  // latest send is a reason to poll it.
  return saw_empty_ && saw_empty_sends_ == link_.sends();
}

void Peer::Impl::drain(const Waiter* until) {
  while (receive_frame()) {
    if (until != nullptr && until->ready()) return;
  }
  // Answers (pongs, copies after a receipt) are sends, too.
  while (!drained() && receive_frame()) {
  }
}

void Peer::Impl::after_input(Lock& lock) {
  follow_phase();
  wake_ready_waiters();
  dispatch(lock);
}

void Peer::Impl::leave(Lock& lock) {
  if (has_callbacks()) dispatch(lock);
  update_descriptor();
  keep_background_nimble();
}

void Peer::Impl::follow_phase() {
  if (!link_.is_open()) return;
  if (state_.phase() != State::Phase::kDown && state_.phase() != State::Phase::kOver) return;
  link_.retire();
  saw_empty_ = false;
  if (pumper_ != nullptr) wake_.signal();  // To poll no dead descriptor.
  kick_background();
}

// --- Waiters -------------------------------------------------------------------------------------

Peer::Impl::Waited Peer::Impl::wait(Lock& lock, Time deadline, Interruptible interruptible,
                                    std::function<bool()> ready) {
  Waiter self{std::move(ready), {}};
  std::uint32_t since = interrupts_.load(std::memory_order_relaxed);
  if (interruptible == Interruptible::kYes) since = noticed_interrupts_;
  waiters_.push_back(&self);
  const OnLeaving done([this, &self] { forget(self); });
  Waited result = Waited::kReady;
  for (bool blocks = false;; blocks = true) {
    if (self.ready()) break;
    const Time now = Clock::now();
    const bool expired = now >= deadline;
    ++activity_;
    // Whoever does not wait looks at least once.
    if (pumper_ == nullptr && (expired || !drained())) drain(&self);
    after_input(lock);
    if (self.ready()) break;
    // An interrupt is not spent on who would not have blocked.
    const bool ends = interruptible == Interruptible::kYes && (blocks || !expired);
    if (ends && interrupted(since)) {
      result = Waited::kInterrupted;
      break;
    }
    if (expired) {
      result = Waited::kTimedOut;
      break;
    }
    prepare_to_block(now);
    if (pumper_ != nullptr) {
      update_descriptor();
      keep_background_nimble();
      self.woken.wait_until(lock, deadline);
    } else if (drained()) {
      poll_as_pumper(lock, self, deadline);
    }
  }
  return result;
}

void Peer::Impl::forget(Waiter& waiter) {
  std::erase(waiters_, &waiter);
  // Somebody must pump for those who still wait.
  if (pumper_ == nullptr && !waiters_.empty()) waiters_.front()->woken.notify_one();
  if (closing_) closed_.notify_all();
}

bool Peer::Impl::interrupted(std::uint32_t since) {
  const std::uint32_t now = interrupts_.load(std::memory_order_acquire);
  if (now == since) return false;
  noticed_interrupts_ = now;
  return true;
}

void Peer::Impl::prepare_to_block(Time now) {
  state_.flush();
  if (state_.ack_wanted()) state_.ack_if_due(now);
}

void Peer::Impl::poll_as_pumper(Lock& lock, Waiter& self, Time deadline) {
  update_descriptor();
  keep_background_nimble();
  pumper_ = &self;
  pumper_generation_ = link_.generation();
  pollfd descriptors[] = {{link_.descriptor(), POLLIN, 0}, {wake_.descriptor(), POLLIN, 0}};
  lock.unlock();
  poll_until(descriptors, 2, deadline);
  lock.lock();
  pumper_ = nullptr;
  ++activity_;
  if (descriptors[1].revents != 0) wake_.clear();
  if (descriptors[0].revents != 0) saw_empty_ = false;
  if (rest_ == Rest::kParked) kick_background();
}

void Peer::Impl::wake(Waiter& waiter) {
  if (&waiter == pumper_) {
    wake_.signal();
  } else {
    waiter.woken.notify_one();
  }
}

void Peer::Impl::wake_ready_waiters() {
  for (Waiter* const waiter : waiters_) {
    if (waiter->ready()) wake(*waiter);
  }
}

// --- Callbacks -----------------------------------------------------------------------------------

bool Peer::Impl::has_callbacks() {
  return !state_.resolved().empty() || (on_outcome_ && !state_.reports().empty()) ||
         (on_state_ && !state_.changes().empty());
}

void Peer::Impl::dispatch(Lock& lock) {
  // One thread at a time, so that callbacks come in order; it takes what others leave, too.
  if (dispatching_ || !has_callbacks()) return;
  dispatching_ = true;
  const OnLeaving done([this] { dispatching_ = false; });
  while (has_callbacks()) dispatch_some(lock);
  wake_ready_waiters();
  if (closing_) closed_.notify_all();
}

void Peer::Impl::dispatch_some(Lock& lock) {
  constexpr std::size_t kAtOnce = 1024;
  const auto on_outcome = on_outcome_;
  const auto on_state = on_state_;
  std::vector<OutcomeReport> reports;
  while (on_outcome && reports.size() < kAtOnce && !state_.reports().empty()) {
    reports.push_back(*state_.reports().next());
  }
  std::deque<StateChange> changes;
  if (on_state) changes.swap(state_.changes());
  std::vector<Resolved> resolved = std::exchange(state_.resolved(), {});
  lock.unlock();
  // Which thread it is that calls back is chance, so that nobody could catch what they throw.
  [&]() noexcept {
    CallbackScope scope(this);
    for (const StateChange& each : changes) on_state(each);
    for (const OutcomeReport& each : reports) on_outcome(each);
    // What they send shares frames: replies come many at once, and each often makes a request. But
    // a slow one holds up only what was sent before it.
    Time flushed = Clock::now();
    for (Resolved& each : resolved) {
      if (const Time now = Clock::now(); now > flushed + kMostGathering) {
        flushed = now;
        lock.lock();
        state_.flush_if_idle();
        lock.unlock();
      }
      scope.set_goes_on(&each != &resolved.back());
      each.resolver(std::move(each.answer));
    }
  }();
  lock.lock();
  state_.flush_if_idle();
}

void Peer::Impl::update_descriptor() {
  if (!readable_used_) return;
  const bool readable = !state_.inbox().empty() || !state_.reports().empty() ||
                        !state_.changes().empty() || !state_.presences().empty() ||
                        (cancellations_used_ && !state_.cancellations().empty());
  if (readable == readable_set_) return;
  readable_set_ = readable;
  readable ? readable_.signal() : readable_.clear();
}

// --- The background thread's wake-ups ------------------------------------------------------------

bool Peer::Impl::lingering() const {
  return state_.has_open_frame() || state_.ack_hurries() || link_.has_failed() ||
         (awaits_news() && link_.is_open() && !drained());
}

/// Whether something of the program's stands still until frames that wait in the socket are read.
bool Peer::Impl::awaits_news() const {
  return state_.waiting_requests() != 0 || (on_outcome_ && state_.unsettled() != 0) ||
         !waiters_.empty();
}

void Peer::Impl::keep_background_nimble() {
  if (nimble_) return;
  const bool ack_sleeps = state_.ack_wanted() && state_.ack_due_at_last() < rest_until_;
  if (ack_sleeps || lingering()) kick_background();
}

void Peer::Impl::kick_background() {
  nimble_ = true;
  background_wake_.signal();
}

}  // namespace zpost::peer
