#include "broker/admin/snapshots.h"

namespace zpost::admin {

void Snapshots::put(const Snapshot& snapshot) {
  {
    const std::lock_guard lock(mutex_);
    // In here: who asks from now on asks for the next one.
    wanted_.store(false, std::memory_order_relaxed);
    latest_ = snapshot;
    at_ = Clock::now();
    ++count_;
  }
  made_.notify_all();
}

std::optional<Snapshot> Snapshots::ask(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  if (closed_) return std::nullopt;
  if (count_ > 0 && Clock::now() - at_ < kFresh) return latest_;
  const std::uint64_t before = count_;
  wanted_.store(true, std::memory_order_relaxed);
  lock.unlock();
  wake_();
  lock.lock();
  const bool came = made_.wait_for(lock, patience, [&] { return closed_ || count_ != before; });
  if (!came || closed_) return std::nullopt;
  return latest_;
}

std::chrono::milliseconds Snapshots::age() const {
  const std::lock_guard lock(mutex_);
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - at_);
}

void Snapshots::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  made_.notify_all();
}

}  // namespace zpost::admin
