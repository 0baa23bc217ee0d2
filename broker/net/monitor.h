// Hears from libzmq which descriptors come and go, and shuts down those of sessions that ended.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "broker/net/wake.h"

namespace zpost::net {

/// A descriptor's number is used again as soon as it is closed, so it goes with a generation: how
/// many connections were accepted on that number.
struct ConnectionEvent {
  enum class What : std::uint8_t { kAccepted, kDisconnected };

  What what = What::kAccepted;
  int fd = -1;
  std::uint32_t generation = 0;
};

/// Connections that did not come about, so far. Only counted: libzmq says many a second when no
/// descriptor is left.
struct ConnectionFailures {
  std::uint64_t accepts = 0;
  std::uint64_t handshakes = 0;
  int accept_error = 0;  // errno of the latest.
};

/// Drains the monitor of a socket on a thread of its own: libzmq's I/O thread would wait for a
/// reader that is slow. The routing thread may drain it as well, under the same lock, to know of
/// every connection whose frames it reads. At most kMaxEvents wait here; beyond that they wait in
/// libzmq. Thread: own, plus the routing thread for the public functions.
class Monitor {
 public:
  static constexpr std::size_t kMaxEvents = 65'536;

  /// Starts to listen. Signals `wake` when something went away. Throws std::system_error.
  Monitor(void* context, void* socket, Wake& wake);

  ~Monitor() { stop(); }

  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  /// Must come before the socket is closed. There are no events after it.
  void stop();

  /// Whether collect() is worth a call.
  [[nodiscard]] bool pending() const { return pending_.load(std::memory_order_acquire); }

  /// Appends everything that happened up to now to `events`, in order.
  void collect(std::vector<ConnectionEvent>& events);

  [[nodiscard]] ConnectionFailures failures();

  /// Shuts the connection down at `at`, in steady ns, if it still is the one meant.
  void expel(int fd, std::uint32_t generation, std::int64_t at);

 private:
  struct FdState {
    std::uint32_t generation = 0;
    bool open = false;
  };

  struct Expulsion {
    int fd = -1;
    std::uint32_t generation = 0;
    std::int64_t at = 0;
  };

  void run();
  /// Both REQUIRE the lock.
  void drain();
  [[nodiscard]] std::int64_t shut_down_due(std::int64_t now);
  [[nodiscard]] bool receive(ConnectionEvent& event, bool& known);
  void count_failure(std::uint16_t number, int error);
  [[nodiscard]] FdState& state_of(int fd);

  void* const socket_;
  Wake& routing_wake_;
  Wake own_wake_;
  std::atomic<bool> pending_{false};

  std::mutex mutex_;  // Guards all below.
  void* pair_ = nullptr;
  int pair_fd_ = -1;
  bool stopping_ = false;
  std::vector<ConnectionEvent> events_;
  ConnectionFailures failures_;
  std::vector<FdState> fds_;
  std::vector<Expulsion> expulsions_;

  std::thread thread_;
};

}  // namespace zpost::net
