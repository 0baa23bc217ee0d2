// Signals as something to poll for.
#pragma once

#include <initializer_list>

namespace zpost::cli {

/// Blocks signals in the calling thread, and so in those it starts later, and reads them instead.
/// Make it before anything that has threads.
class SignalDescriptor {
 public:
  SignalDescriptor(std::initializer_list<int> signals);
  ~SignalDescriptor();
  SignalDescriptor(const SignalDescriptor&) = delete;
  SignalDescriptor& operator=(const SignalDescriptor&) = delete;

  /// Readable while a signal waits.
  [[nodiscard]] int descriptor() const { return descriptor_; }

  /// The next signal's number; 0: none waits.
  [[nodiscard]] int next();

 private:
  int descriptor_ = -1;
};

}  // namespace zpost::cli
