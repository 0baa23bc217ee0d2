// The client processes of one run: forked together, started together, watched, killed together.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "tools/bench/interrupt.h"
#include "tools/bench/process.h"
#include "tools/bench/shared_memory.h"

namespace zpost::bench {

/// What a client process tells its parent, in shared memory.
struct ClientState {
  std::atomic<bool> ready = false;
  std::array<char, 256> error = {};  // Zero-terminated; written by a client that gives up.
};

/// The starting line, seen from a client process.
class Gate {
 public:
  Gate(ClientState& state, const std::atomic<bool>& open) : state_(state), open_(open) {}

  /// Tells the parent that this client can send, or will miss nothing that is sent to it.
  void ready() { state_.ready.store(true, std::memory_order_release); }

  /// ready(), then blocks until all clients of the run are ready.
  void wait_for_start();

 private:
  ClientState& state_;
  const std::atomic<bool>& open_;
};

/// The group, seen from the parent. Destroying it kills all that still run.
class Clients {
 public:
  explicit Clients(std::size_t capacity);
  ~Clients();
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

  /// Forks a client and runs `part` in it. What `part` throws is the client's failure, told by
  /// check(). `title` names the client in messages. Returns its index.
  std::size_t add(const std::string& title, const std::function<void(Gate&)>& part);

  /// Blocks until every client so far is ready. Throws RunFailure, Interrupted.
  void await_ready(Clock::time_point deadline);

  /// await_ready(), then starts them. Throws as that.
  void start(Clock::time_point deadline);

  /// Throws RunFailure if a client has failed. Cheap while none has ended.
  void check();

  [[nodiscard]] bool running(std::size_t index) { return members_[index].process.running(); }

  /// Kills one client, or several; that is no failure.
  void kill(std::size_t index);
  void kill(const std::vector<std::size_t>& indexes);

  /// From now on this client may end as it likes; that is no failure.
  void excuse(std::size_t index) { members_[index].expendable = true; }

  /// What a client said that gave up; empty otherwise.
  [[nodiscard]] std::string error(std::size_t index) const { return states_[index].error.data(); }

  /// Makes one client stand still (SIGSTOP) and returns when it does. Throws RunFailure, also if
  /// it has ended; Interrupted.
  void stop(std::size_t index);

  /// Lets it go on.
  void go_on(std::size_t index);

  /// Blocks until every client has ended. Throws RunFailure if one failed or still runs at
  /// `deadline`; Interrupted.
  void await_end(Clock::time_point deadline);

  /// Kills what still runs and returns the CPU time that all clients together have used.
  std::chrono::nanoseconds kill_all();

 private:
  // Before any is waited for: while many others run, each takes long to end.
  void signal_all(int number);

  struct Member {
    std::string title;
    ChildProcess process;
    bool expendable = false;  // Killed on purpose.
  };

  SharedArray<ClientState> states_;
  SharedArray<std::atomic<bool>> open_{1};
  std::vector<Member> members_;
};

}  // namespace zpost::bench
