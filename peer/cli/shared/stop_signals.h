// SIGINT and SIGTERM for verbs that wait inside the client library.
#pragma once

#include "zpost/peer/peer.h"

namespace zpost::cli {

/// While it lives, the first SIGINT or SIGTERM interrupts `peer` and is remembered; a second one
/// ends the program at once. One at a time, and the next remembers what the one before did; `peer`
/// must outlive it and not be moved.
class StopSignals {
 public:
  explicit StopSignals(peer::Peer& peer);
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  [[nodiscard]] bool asked() const { return signal() != 0; }

  /// The first signal's number; 0: none came.
  [[nodiscard]] int signal() const;
};

}  // namespace zpost::cli
