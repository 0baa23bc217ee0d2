// The routing loop: one turn after another, in one direction.
#pragma once

#include <cstdint>
#include <span>

#include "broker/admin/snapshots.h"
#include "broker/app/id_floor.h"
#include "broker/app/log.h"
#include "broker/app/signals.h"
#include "broker/core/router.h"
#include "broker/net/gateway.h"
#include "broker/tap/tap.h"

namespace zpost::app {

/// What a broker is made of. References outlive it.
struct Parts {
  core::Router& router;
  net::Gateway& gateway;
  tap::Tap& tap;
  Signals& signals;
  IdFloorKeeper* id_floor = nullptr;  // Null: ids start from the clock only.
  Log& log;
  admin::Snapshots* snapshots = nullptr;  // Null: nobody asks for numbers.
};

/// Messages → core → actions → libzmq and tap, until a signal; between turns, numbers for the
/// admin. Thread: the one that calls run().
class Broker {
 public:
  Broker(Parts parts, std::int64_t drain_time_ns) : parts_(parts), drain_time_(drain_time_ns) {}

  /// Returns when the first signal's drain is over, or at the second signal.
  void run();

 private:
  enum class Phase : std::uint8_t { kRunning, kDraining, kStopped };

  // A turn ends here though more could be read, so that timers and others have their turn.
  static constexpr int kFramesPerTurn = 256;
  static constexpr std::size_t kBytesPerTurn = 256 << 10;  // And the frame that exceeds them.
  static constexpr int kTapRounds = 5;
  static constexpr std::int64_t kChoresEvery = 250 * core::kMillisecond;
  static constexpr std::int64_t kHouseEvery = core::kSecond;
  static constexpr std::int64_t kSignalsEvery = 10 * core::kMillisecond;
  static constexpr int kLingerMs = 500;

  void turn();
  /// The three steps of a turn. receive(): whether the socket ran dry.
  [[nodiscard]] bool receive();
  void take_gone();
  [[nodiscard]] bool send();

  void step(const net::Incoming& incoming);
  void apply(const net::Incoming* incoming);
  void pass_on(const net::Incoming* incoming);
  void do_chores();
  void watch_memory();
  void tell_numbers();
  void handle_signals();
  void drain(int signals);
  void stop(int linger_ms);

  Parts parts_;
  const std::int64_t drain_time_;
  Phase phase_ = Phase::kRunning;
  core::Now now_;
  core::Actions out_;
  std::uint64_t turns_ = 0;
  net::Traffic received_;
  std::int64_t next_chores_ = 0;
  std::int64_t next_house_ = 0;
  std::int64_t next_signals_ = 0;
  std::int64_t drain_until_ = core::kNever;
};

}  // namespace zpost::app
