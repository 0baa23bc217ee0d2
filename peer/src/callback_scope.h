// Marks the thread that runs a program's callback: inside, no call of the same peer blocks.
#pragma once

namespace zpost::peer {

/// Scopes of one thread form a stack: a callback may call another peer, which calls back in turn.
class CallbackScope {
 public:
  explicit CallbackScope(const void* peer) : peer_(peer), outer_(innermost()) {
    innermost() = this;
  }

  ~CallbackScope() { innermost() = outer_; }

  CallbackScope(const CallbackScope&) = delete;
  CallbackScope& operator=(const CallbackScope&) = delete;

  /// Whether this thread is inside a callback of `peer`.
  [[nodiscard]] static bool active(const void* peer) {
    const CallbackScope* scope = innermost();
    while (scope != nullptr && scope->peer_ != peer) scope = scope->outer_;
    return scope != nullptr;
  }

 private:
  static const CallbackScope*& innermost() {
    thread_local const CallbackScope* value = nullptr;
    return value;
  }

  const void* peer_;
  const CallbackScope* outer_;
};

}  // namespace zpost::peer
