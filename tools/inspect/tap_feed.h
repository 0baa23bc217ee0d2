// The tap of a broker, kept open as long as the broker is there.
#pragma once

#include <chrono>
#include <utility>
#include <vector>

#include "peer/cli/shared/exit_code.h"
#include "peer/cli/shared/refusals.h"
#include "peer/cli/shared/session_watch.h"
#include "tools/inspect/tap_reader.h"
#include "tools/inspect/tap_request.h"
#include "zpost/peer/peer.h"

namespace zpost::inspect {

/// Opens the tap, and again when the session began anew. Requests of others are refused. Says what
/// is wrong on standard error. Thread: one. The peer must outlive it.
class TapFeed {
 public:
  TapFeed(peer::Peer& peer, TapWish wish)
      : peer_(peer), wish_(std::move(wish)), watch_(peer), refusals_(peer) {}

  [[nodiscard]] cli::ExitCode open();

  /// Opens it anew for something else.
  [[nodiscard]] cli::ExitCode open(TapWish wish);

  /// Waits so long for what comes. False: nothing came, or the peer was interrupted. The entries
  /// are valid until take().
  [[nodiscard]] bool receive(std::chrono::milliseconds glance = kGlance);

  [[nodiscard]] const std::vector<TapEntry>& entries() const { return entries_; }

  /// The entries are done with: the broker may send more.
  void take();

  /// What passes the broker comes here. False: the tap is to be opened again, which receive() does
  /// once the broker is back, or the broker refused it.
  [[nodiscard]] bool is_open() const {
    return is_open_ && watch_.is_connected() && watch_.fresh_sessions() == asked_in_;
  }

  [[nodiscard]] bool is_over() const { return watch_.is_over(); }

  /// Ends the session, and says what should be known.
  [[nodiscard]] cli::ExitCode close();

 private:
  // How long a fresh session may go unnoticed.
  static constexpr std::chrono::milliseconds kGlance{100};

  void read(const EnvelopeView& view);

  peer::Peer& peer_;
  TapWish wish_;
  cli::SessionWatch watch_;
  cli::Refusals refusals_;
  peer::Batch batch_;
  TapReader reader_;
  std::vector<TapEntry> entries_;
  unsigned asked_in_ = 0;
  bool is_open_ = false;  // In that session.
};

}  // namespace zpost::inspect
