// SIGTERM and SIGINT as something to wait for.
#pragma once

namespace zpost::app {

/// Takes both signals out of their usual way for the whole process. Make it before any thread, so
/// that all inherit that. Thread: the waiter's.
class Signals {
 public:
  /// Throws std::system_error when the process has no descriptor left.
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  /// Readable when a signal came.
  [[nodiscard]] int fd() const { return fd_; }

  /// How many came since the last call. Does not wait.
  [[nodiscard]] int take();

 private:
  int fd_ = -1;
};

}  // namespace zpost::app
