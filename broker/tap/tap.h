// Shows inspectors what the broker does. protocol/SPEC.md, section 12.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "broker/core/directory.h"
#include "broker/core/router.h"
#include "broker/tap/listener.h"

namespace zpost::tap {

/// Passes the core's notes on to those who asked. Costs nothing while nobody did, and never slows
/// routing: who reads slowly misses records and is told how many. Thread: routing only.
class Tap {
 public:
  explicit Tap(core::Router& router) : router_(router) {}

  /// A session asks for the tap, or asks anew. REQUIRES: a request that parse_tap_filter() reads;
  /// the core passes on no other.
  void open(core::SessionId session, Bytes request);
  void close(core::SessionId session);

  /// Takes the notes of a step, while `frame` is still there.
  void take(const std::vector<core::TapNote>& notes, Bytes frame);

  /// Sends what was taken: one body to a listener, since the core takes the next one when it has
  /// handed over the last. `out` must be executed. True: something was sent, so call again once it
  /// was flushed.
  [[nodiscard]] bool flush(core::Now now, core::Actions& out);

  [[nodiscard]] bool open() const { return !listeners_.empty(); }

 private:
  struct Name {
    std::string text;
    std::uint32_t version = 0;
  };

  [[nodiscard]] NameUse use_of(std::uint32_t number);

  core::Router& router_;
  std::map<core::SessionId, Listener> listeners_;
  std::vector<Name> names_;  // By number, as last seen.
};

}  // namespace zpost::tap
