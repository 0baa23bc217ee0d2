// Hands snapshots from the routing thread to others.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>

#include "broker/admin/snapshot.h"

namespace zpost::admin {

/// The routing thread makes a snapshot only when one was asked for, so that a broker that nobody
/// looks at does nothing for it, and never waits: it locks for the time of a copy.
class Snapshots {
 public:
  using Clock = std::chrono::steady_clock;

  /// What is younger serves again: the routing thread makes few a second, however many ask.
  static constexpr std::chrono::milliseconds kFresh{50};

  /// `wake` makes the routing thread turn. Any thread calls it.
  explicit Snapshots(std::function<void()> wake) : wake_(std::move(wake)) {}

  // ---- The routing thread's ----

  /// Whether to put() one now. Costs one load.
  [[nodiscard]] bool wanted() const { return wanted_.load(std::memory_order_relaxed); }

  void put(const Snapshot& snapshot);

  // ---- Any other thread's ----

  /// A fresh one; none if the routing thread did not turn within `patience`, or after close().
  [[nodiscard]] std::optional<Snapshot> ask(std::chrono::milliseconds patience);

  /// How long ago the latest was made; since the start if there is none.
  [[nodiscard]] std::chrono::milliseconds age() const;

  /// Ends every ask(), from now on. Thread: any.
  void close();

 private:
  const std::function<void()> wake_;
  std::atomic<bool> wanted_{false};
  mutable std::mutex mutex_;
  std::condition_variable made_;
  Snapshot latest_;  // The mutex guards these.
  std::uint64_t count_ = 0;
  Clock::time_point at_ = Clock::now();
  bool closed_ = false;
};

}  // namespace zpost::admin
