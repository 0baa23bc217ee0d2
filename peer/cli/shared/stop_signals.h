// SIGINT and SIGTERM for verbs that wait inside the client library.
#pragma once

#include <chrono>

#include "zpost/peer/peer.h"

namespace zpost::cli {

/// While it lives, the first SIGINT or SIGTERM interrupts `peer` and is remembered; a later one
/// ends the program at once, unless it comes within kTogether. One at a time, and the next
/// remembers what the one before did; `peer` must outlive it and not be moved.
class StopSignals {
 public:
  /// Signals so close are one wish to end: timeout(1) signals its child and then its whole group.
  static constexpr std::chrono::milliseconds kTogether{500};

  explicit StopSignals(peer::Peer& peer);
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  [[nodiscard]] bool asked() const { return signal() != 0; }

  /// The first signal's number; 0: none came.
  [[nodiscard]] int signal() const;

  /// What a later signal does before it ends the program at once; null: nothing. It is called in
  /// the signal's handler, so it may call only what is safe there. For the whole program.
  static void before_exit(void (*act)());
};

}  // namespace zpost::cli
