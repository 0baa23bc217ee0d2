// Marks the thread that runs a program's callback: inside, no call of a peer blocks.
#pragma once

namespace zpost::peer {

class CallbackScope {
 public:
  CallbackScope() { ++depth(); }

  ~CallbackScope() { --depth(); }

  CallbackScope(const CallbackScope&) = delete;
  CallbackScope& operator=(const CallbackScope&) = delete;

  /// Whether this thread is inside a callback of any peer.
  [[nodiscard]] static bool active() { return depth() != 0; }

 private:
  static int& depth() {
    thread_local int value = 0;
    return value;
  }
};

}  // namespace zpost::peer
