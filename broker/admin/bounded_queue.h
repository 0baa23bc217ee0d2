// Threads for the HTTP server, and what waits for them.
#pragma once

#include <httplib.h>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace zpost::admin {

/// When it is full, who accepts connections waits: more of them stay with the kernel, which refuses
/// what its backlog has no room for.
class BoundedQueue : public httplib::TaskQueue {
 public:
  BoundedQueue(std::size_t workers, std::size_t limit) : limit_(limit) {
    for (std::size_t i = 0; i < workers; ++i) threads_.emplace_back([this] { work(); });
  }

  void enqueue(std::function<void()> task) override {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [this] { return tasks_.size() < limit_; });
    tasks_.push_back(std::move(task));
    lock.unlock();
    some_.notify_one();
  }

  /// Does what waits, and ends the threads.
  void shutdown() override {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    some_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  void work() {
    for (;;) {
      std::unique_lock lock(mutex_);
      some_.wait(lock, [this] { return over_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      const std::function<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      room_.notify_one();
      task();
    }
  }

  const std::size_t limit_;
  std::mutex mutex_;
  std::condition_variable some_;
  std::condition_variable room_;
  std::deque<std::function<void()>> tasks_;  // The mutex guards these.
  bool over_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace zpost::admin
