// The background thread: the socket while nobody waits in a call, and all that time asks for.
#include <poll.h>

#include <algorithm>

#include "peer/src/impl.h"
#include "peer/src/polling.h"

namespace zpost::peer {
namespace {

constexpr std::chrono::microseconds kCycle{2000};
// While nothing lingers: how late it notices that a program thread went and left the socket alone.
// The longer that one has been at it, the later.
constexpr std::chrono::microseconds kLazyCycle{20'000};
constexpr std::chrono::microseconds kLaziestCycle{100'000};
constexpr int kQuietTurns = 50;
constexpr int kRequestTurns = 50;

}  // namespace

void Peer::Impl::background() {
  Lock lock(mutex_);
  while (!stop_) {
    turn(lock);
    if (stop_) return;
    rest(lock);
  }
}

void Peer::Impl::turn(Lock& lock) {
  const std::uint32_t interrupts = interrupts_.load(std::memory_order_acquire);
  if (interrupts != interrupts_passed_on_) {
    interrupts_passed_on_ = interrupts;  // A signal handler cannot wake them itself.
    for (Waiter* const waiter : waiters_) wake(*waiter);
  }
  if (monitor_unread_ || link_.has_failed()) read_monitor();
  rest_ = choose_rest();
  if (rest_ == Rest::kSocket && !drained()) drain();
  state_.tick(Clock::now());
  flush_lingering();
  follow_phase();
  connect_if_due(Clock::now());
  const bool polled = pumper_ != nullptr && pumper_generation_ != link_.generation();
  if (link_.has_retired() && !polled) link_.close_retired();
  // What was sent here may have swallowed the edge that the pumper waits for.
  if (pumper_ != nullptr && !drained()) drain();
  after_input(lock);
  update_descriptor();
}

void Peer::Impl::read_monitor() {
  monitor_unread_ = false;
  std::string why = link_.failure();
  for (std::string next = link_.loss(); !next.empty(); next = link_.loss()) {
    if (why.empty()) why = std::move(next);
  }
  if (why.empty()) return;
  // The news overtakes what was received before the loss.
  drain();
  loss_ = why;
  state_.lost(why);
}

void Peer::Impl::connect_if_due(Time now) {
  if (state_.phase() != State::Phase::kDown || link_.is_open() || stop_) return;
  if (now >= state_.retry_at()) (void)open_link();
}

bool Peer::Impl::open_link() {
  if (!link_.open(options_.endpoint, options_.name)) {
    loss_ = link_.error();
    state_.not_opened();
    return false;
  }
  state_.opened(Clock::now());
  monitor_unread_ = true;
  saw_empty_ = false;
  if (pumper_ != nullptr) wake_.signal();
  return true;
}

void Peer::Impl::flush_lingering() {
  if (!state_.has_open_frame()) return;
  // A frame that was open a turn ago has waited long enough.
  const bool waited = open_frame_seen_ == state_.frames_closed();
  open_frame_seen_ = state_.frames_closed();
  if (waited || !link_.busy()) state_.flush();
}

Peer::Impl::Rest Peer::Impl::choose_rest() {
  const bool active = activity_ != activity_seen_;
  activity_seen_ = activity_;
  lazy_cycle_ = active ? std::clamp(lazy_cycle_ * 2, kLazyCycle, kLaziestCycle) : kLazyCycle;
  if (pumper_ != nullptr) {
    quiet_turns_ = active ? 0 : quiet_turns_ + 1;
    return quiet_turns_ > kQuietTurns ? Rest::kParked : Rest::kCycle;
  }
  quiet_turns_ = 0;
  if (state_.waiting_requests() != 0) {
    request_turns_ = kRequestTurns;
  } else if (request_turns_ > 0) {
    --request_turns_;
  }
  if (readable_used_ || request_turns_ > 0) return Rest::kSocket;
  return active ? Rest::kCycle : Rest::kSocket;
}

void Peer::Impl::rest(Lock& lock) {
  Time until = state_.next_tick();
  nimble_ = lingering() || monitor_unread_ || link_.has_retired();
  if (nimble_) {
    until = std::min(until, Clock::now() + kCycle);
  } else if (rest_ == Rest::kCycle) {
    until = std::min(until, Clock::now() + lazy_cycle_);
  }
  pollfd descriptors[] = {{background_wake_.descriptor(), POLLIN, 0},
                          {link_.monitor_descriptor(), POLLIN, 0},
                          {rest_ == Rest::kSocket ? link_.descriptor() : -1, POLLIN, 0}};
  const std::uint64_t generation = link_.generation();
  rest_until_ = until;
  if (rest_ == Rest::kSocket && !drained() && link_.is_open()) until = Time::min();
  lock.unlock();
  poll_until(descriptors, 3, until);
  lock.lock();
  if (descriptors[0].revents != 0) background_wake_.clear();
  if (generation != link_.generation()) return;
  if (descriptors[1].revents != 0) monitor_unread_ = true;
  if (descriptors[2].revents != 0) saw_empty_ = false;
}

}  // namespace zpost::peer
