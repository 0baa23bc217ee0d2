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

  /// Whether another callback follows this one at once.
  void set_goes_on(bool goes_on) { goes_on_ = goes_on; }

  /// Whether this thread is inside a callback of `peer`.
  [[nodiscard]] static bool active(const void* peer) { return find(peer) != nullptr; }

  /// Whether it is, and more of them follow.
  [[nodiscard]] static bool goes_on(const void* peer) {
    const CallbackScope* const scope = find(peer);
    return scope != nullptr && scope->goes_on_;
  }

 private:
  static const CallbackScope* find(const void* peer) {
    const CallbackScope* scope = innermost();
    while (scope != nullptr && scope->peer_ != peer) scope = scope->outer_;
    return scope;
  }

  static const CallbackScope*& innermost() {
    thread_local const CallbackScope* value = nullptr;
    return value;
  }

  const void* peer_;
  const CallbackScope* outer_;
  bool goes_on_ = false;
};

}  // namespace zpost::peer
