// Wakes the routing thread from another one.
#pragma once

namespace zpost::net {

/// An eventfd. Signals that come before clear() are one. Thread: signal() any, the rest the waiter.
class Wake {
 public:
  /// Throws std::system_error when the process has no descriptor left.
  Wake();
  ~Wake();
  Wake(const Wake&) = delete;
  Wake& operator=(const Wake&) = delete;

  void signal() noexcept;
  void clear() noexcept;

  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_ = -1;
};

}  // namespace zpost::net
