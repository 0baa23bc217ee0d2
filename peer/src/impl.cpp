// The life of a peer: from connect to close.
#include "peer/src/impl.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "peer/src/callback_scope.h"
#include "peer/src/exhaustion.h"

namespace zpost::peer {
namespace {

constexpr milliseconds kLastWords{500};  // For the goodbye to leave.
/// What libzmq opens for a context of one socket and its monitor, and a few to spare.
constexpr int kDescriptors = 16;

}  // namespace

Peer::Impl::Impl(Options options)
    : options_(std::move(options)), state_(options_, random_hex(32), link_.pool(), link_) {}

Peer::Impl::~Impl() {
  if (CallbackScope::active(this)) {
    std::fputs("zpost::peer::Peer: destroyed inside one of its own callbacks\n", stderr);
    std::abort();
  }
  close(milliseconds(1000));
}

std::optional<Failure> Peer::Impl::connect() {
  const Time deadline = deadline_after(Clock::now(), options_.connect_timeout);
  Lock lock(mutex_);
  // libzmq ends the program when it finds none for its threads.
  require_descriptors(kDescriptors);
  if (!open_link()) {
    if (const int number = link_.error_number(); is_exhaustion(number)) {
      throw std::system_error(number, std::generic_category(), link_.error());
    }
    return Failure{Fault::kInvalid, Outcome::kNone,
                   "endpoint \"" + options_.endpoint + "\": " + link_.error()};
  }
  background_ = std::thread([this] { background(); });
  wait(lock, deadline, Interruptible::kNo,
       [this] { return state_.phase() == State::Phase::kActive || over(); });
  if (state_.phase() == State::Phase::kActive) {
    leave(lock);
    return std::nullopt;
  }
  if (const std::optional<Refusal>& refusal = state_.refusal()) {
    return Failure{Fault::kRefused, refusal->code,
                   std::string(outcome_name(refusal->code)) + ": " + refusal->text};
  }
  const std::string why = loss_.empty() ? "no answer" : loss_;
  return Failure{Fault::kUnreachable, Outcome::kNone,
                 "no broker at " + options_.endpoint + ": " + why +
                     ". Is zpost-broker running, and listening on this endpoint?"};
}

bool Peer::Impl::close(milliseconds timeout) {
  const Time deadline = deadline_after(Clock::now(), timeout);
  Lock lock(mutex_);
  // The thread that calls back cannot wait for itself: the rest is the destructor's.
  if (CallbackScope::active(this)) return state_.unsettled() == 0;
  if (closing_) return closed_by(lock, deadline);
  closing_ = true;
  if (options_.take == TakeMode::kOnNextReceive) state_.inbox().take();
  wait(lock, deadline, Interruptible::kNo,
       [this] { return state_.unsettled() == 0 || over() || !state_.was_welcomed(); });
  closed_well_ = state_.unsettled() == 0;
  say_goodbye();
  after_input(lock);  // Calls that wait end now.
  stop_ = true;
  kick_background();
  lock.unlock();
  if (background_.joinable()) background_.join();
  lock.lock();
  closed_.wait(lock, [this] { return waiters_.empty() && !dispatching_; });
  link_.finish();
  leave(lock);
  finished_ = true;
  closed_.notify_all();
  return closed_well_;
}

/// Another call closes, or did: this one waits as long as it was asked to.
bool Peer::Impl::closed_by(Lock& lock, Time deadline) {
  return closed_.wait_until(lock, deadline, [this] { return finished_; }) && closed_well_;
}

void Peer::Impl::say_goodbye() {
  const bool heard = state_.phase() == State::Phase::kActive;
  state_.close();
  if (heard) link_.close_gracefully(static_cast<int>(kLastWords.count()));
  if (pumper_ != nullptr) wake_.signal();
}

}  // namespace zpost::peer
