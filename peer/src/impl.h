// The shell around State: the lock, the socket, who waits, the background thread.
//
// One mutex protects everything. A thread that waits inside a call is the pumper: it polls the
// socket itself, with the mutex released, and does the work that arrives. The background thread
// (background.cpp) does it when nobody waits, and all that time asks for.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "peer/src/clock.h"
#include "peer/src/link.h"
#include "peer/src/state.h"
#include "peer/src/wake.h"
#include "zpost/peer/peer.h"

namespace zpost::peer {

/// As a timeout: not even a first wait.
inline constexpr milliseconds kNever = milliseconds::min();

class Peer::Impl {
 public:
  using Lock = std::unique_lock<std::mutex>;

  /// Throws std::system_error when the system has no more of something.
  explicit Impl(Options options);
  /// Closes. Inside one of its own callbacks it ends the program: whoever calls back comes here
  /// again.
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // impl.cpp: life.
  /// Throws as the constructor.
  [[nodiscard]] std::optional<Failure> connect();
  bool close(milliseconds timeout);

  // sending.cpp
  Answer<std::uint64_t> send(const Draft& draft, milliseconds timeout);
  Answer<SentSpan> send_span(Draft draft, std::span<const Bytes> bodies, milliseconds timeout);
  enum class Replies { kOne, kMany };

  Answer<std::uint64_t> request(Draft draft, milliseconds credit_timeout, milliseconds timeout,
                                Replies replies, Resolver resolver);
  Answer<void> cancel(std::uint64_t id);
  void flush();
  bool wait_settled(milliseconds timeout);

  // receiving.cpp
  std::optional<Message> receive(milliseconds timeout);
  bool receive_batch(Batch& batch, milliseconds timeout, std::size_t max);
  void run(const std::function<bool(const EnvelopeView&)>& callback);
  void take();
  void add_demand(std::uint64_t count);
  std::optional<OutcomeReport> next_outcome(milliseconds timeout);
  std::optional<PresenceChange> next_presence(milliseconds timeout);
  std::optional<StateChange> next_state(milliseconds timeout);
  [[nodiscard]] int descriptor();
  void interrupt();

  void on_outcome(std::function<void(const OutcomeReport&)> callback);
  void on_state(std::function<void(const StateChange&)> callback);
  Answer<void> watch(std::string_view pattern);
  Answer<std::uint64_t> subscribe(const Subscribe& what);
  Answer<std::uint64_t> unsubscribe(std::string_view pattern);
  Answer<std::uint64_t> offer(const Offer& what);
  Answer<std::uint64_t> withdraw(std::string_view service);
  Answer<std::uint64_t> describe(const Metadata& metadata);
  std::optional<Cancellation> next_cancellation(milliseconds timeout);

  /// `read` of the state, under the lock.
  template <typename Read>
  [[nodiscard]] auto look(Read read) const {
    const std::scoped_lock lock(mutex_);
    return read(state_);
  }

  [[nodiscard]] const Options& options() const { return options_; }

 private:
  /// Why a wait ended.
  enum class Waited { kReady, kTimedOut, kInterrupted };
  enum class Interruptible { kNo, kYes };

  /// A call that waits until its condition holds. Conditions are asked by any thread under the
  /// lock and change nothing.
  struct Waiter {
    std::function<bool()> ready;
    std::condition_variable woken;
  };

  /// What the background thread does between its turns.
  enum class Rest {
    kParked,  // Waits for time or a kick: a program thread pumps.
    kCycle,   // Looks every few milliseconds: program threads were here a moment ago.
    kSocket,  // Polls the socket.
  };

  // impl.cpp
  [[nodiscard]] bool closed_by(Lock& lock, Time deadline);
  void say_goodbye();

  // pump.cpp
  Waited wait(Lock& lock, Time deadline, Interruptible interruptible, std::function<bool()> ready);
  void forget(Waiter& waiter);
  [[nodiscard]] bool interrupted(std::uint32_t since);
  void poll_as_pumper(Lock& lock, Waiter& self, Time deadline);
  bool receive_frame();
  void drain(const Waiter* until = nullptr);
  [[nodiscard]] bool drained() const;
  void prepare_to_block(Time now);
  void after_input(Lock& lock);
  void leave(Lock& lock);
  void follow_phase();
  void wake_ready_waiters();
  void wake(Waiter& waiter);
  [[nodiscard]] bool has_callbacks();
  void dispatch(Lock& lock);
  void dispatch_some(Lock& lock);
  void update_descriptor();
  [[nodiscard]] bool lingering() const;
  [[nodiscard]] bool awaits_news() const;
  void keep_background_nimble();
  void kick_background();

  [[nodiscard]] bool settled() const {
    return state_.unsettled() == 0 && state_.interests_settled();
  }

  [[nodiscard]] bool over() const { return state_.phase() == State::Phase::kOver; }

  [[nodiscard]] std::optional<Failure> closed() const;

  // background.cpp
  void background();
  void turn(Lock& lock);
  void read_monitor();
  void connect_if_due(Time now);
  bool open_link();
  void flush_lingering();
  [[nodiscard]] Rest choose_rest();
  void rest(Lock& lock);

  // sending.cpp
  [[nodiscard]] std::optional<Failure> refuse(const Draft& draft);
  [[nodiscard]] std::optional<Failure> refuse_any(Draft draft, std::span<const Bytes> bodies);
  [[nodiscard]] std::size_t try_span(Draft draft, std::span<const Bytes> bodies);
  [[nodiscard]] std::optional<Failure> await_credit(Lock& lock, const Draft& draft, Time deadline);
  [[nodiscard]] bool defer(Lock& lock, const Draft& draft, const Failure& failure);
  void after_send(Lock& lock);

  // receiving.cpp
  void begin_receive();
  [[nodiscard]] bool await_message(Lock& lock, Time deadline);
  template <typename Say>
  Answer<std::uint64_t> say_interest(std::optional<Failure> invalid, Say say);
  template <typename Queue>
  auto next_of(Queue& queue, milliseconds timeout) -> std::optional<typename Queue::value_type>;

  const Options options_;
  mutable std::mutex mutex_;
  Wake wake_;             // Wakes the pumper.
  Wake background_wake_;  // Wakes the background thread.
  Link link_;
  State state_;

  std::shared_ptr<ReceivedFrame> frame_;  // The latest one received, used again if nobody kept it.
  Keeper given_;                          // Keeps the bytes of what receive() copies.
  bool saw_empty_ = false;                // The latest receive found nothing …
  std::uint64_t saw_empty_sends_ = 0;     // … after that many sends.

  std::vector<Waiter*> waiters_;
  Waiter* pumper_ = nullptr;
  std::uint64_t pumper_generation_ = 0;  // Of the connection it polls.
  std::atomic<std::uint32_t> interrupts_{0};
  std::uint32_t noticed_interrupts_ = 0;

  bool dispatching_ = false;
  std::function<void(const OutcomeReport&)> on_outcome_;
  std::function<void(const StateChange&)> on_state_;

  Wake readable_;
  bool readable_used_ = false;
  bool readable_set_ = false;
  bool cancellations_used_ = false;  // Somebody asks for them.

  Rest rest_ = Rest::kSocket;
  bool nimble_ = false;  // The background thread looks again within kCycle.
  Time rest_until_ = Time::min();
  bool stop_ = false;
  bool monitor_unread_ = false;
  std::uint64_t activity_ = 0;  // Counts what program threads did with the socket.
  std::uint64_t activity_seen_ = 0;
  int quiet_turns_ = 0;
  std::chrono::microseconds lazy_cycle_{0};  // The next rest while nothing lingers.
  int request_turns_ = 0;                    // Turns for which replies are still expected soon.
  std::uint64_t open_frame_seen_ = 0;
  std::uint32_t interrupts_passed_on_ = 0;
  std::string loss_;  // Why the latest connection was lost.

  bool closing_ = false;
  bool closed_well_ = false;
  std::condition_variable closed_;
  bool finished_ = false;
  std::thread background_;
};

}  // namespace zpost::peer
