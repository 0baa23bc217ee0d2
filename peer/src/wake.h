// An eventfd: wakes whoever polls it.
#pragma once

namespace zpost::peer {

/// Thread: any. signal() is async-signal-safe.
class Wake {
 public:
  /// Throws std::system_error.
  Wake();
  ~Wake();
  Wake(const Wake&) = delete;
  Wake& operator=(const Wake&) = delete;

  [[nodiscard]] int descriptor() const { return descriptor_; }

  void signal() const;
  void clear() const;

 private:
  int descriptor_;
};

}  // namespace zpost::peer
