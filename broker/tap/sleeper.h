// How a thread that follows another sleeps: the writer pays for a wake-up only after a pause.
#pragma once

#include <atomic>
#include <cstdint>

namespace zpost::tap {

/// While there is something now and then, the reader naps and looks by itself; only when nothing
/// came for a while does it sleep until it is called. Thread: call() and hurry() any, the rest the
/// reader.
class Sleeper {
 public:
  /// Throws std::system_error when the process has no descriptor left.
  Sleeper();
  ~Sleeper();
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;

  /// There is something. Costs nothing while the reader only naps.
  void call() noexcept;
  /// There is something that should not wait for the end of a nap.
  void hurry() noexcept;

  /// Rests after a look that found nothing (`found` false), or something; not for long if it
  /// should look again `soon`. `look()` is called once more before a sleep without end: true if
  /// there is something after all.
  template <typename Look>
  void rest(bool found, bool soon, Look look) {
    naps_ = found ? 0 : naps_ + 1;
    if (naps_ < kMostNaps) return wait(soon ? kShortNapMs : kNapMs);
    asleep_.store(true, std::memory_order_seq_cst);
    if (!look()) wait(-1);
    asleep_.store(false, std::memory_order_relaxed);
    naps_ = 0;
  }

 private:
  // The end of a nap is a switch of threads in the middle of somebody's round trip.
  static constexpr int kNapMs = 10;
  static constexpr int kShortNapMs = 2;
  static constexpr int kMostNaps = 10;

  void wait(int milliseconds) noexcept;

  int fd_ = -1;
  int naps_ = 0;
  std::atomic<bool> asleep_{false};
};

}  // namespace zpost::tap
