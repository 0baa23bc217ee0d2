// The broker's process: one run after another, each with a new core in the shell of the core's
// tests. Of an earlier run only the floor of ids is left.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/broker/core/support/world.h"
#include "tests/sim/world/clock.h"
#include "tests/sim/world/wire.h"

namespace zpost::sim {

/// Shared by its program and the broker's process.
using WireRef = std::shared_ptr<Wire>;

class BrokerHost {
 public:
  using World = core::test::World;

  BrokerHost(const core::Limits& limits, std::uint64_t wall);

  // --- Runs ------------------------------------------------------------------------------------

  void start(Moment now);
  /// The process is gone at once, with all it knew.
  void crash(Moment now);
  /// It says goodbye to everyone whose session is done, and takes nothing new. crash() ends it.
  void drain();
  /// The last words of a broker that was asked to stop.
  void stop(Moment now);

  [[nodiscard]] bool runs() const { return world_.has_value(); }

  [[nodiscard]] std::uint64_t run() const { return run_; }

  // --- Connections -----------------------------------------------------------------------------

  /// A program's socket connects. Nothing happens if nobody listens.
  void accept(const WireRef& wire, std::size_t room);
  /// The same for a socket that reconnects under its identity: the connection it had is over, and
  /// what was not read of it comes under an identity that libzmq makes up.
  void accept_again(const WireRef& wire, const std::string& identity, std::size_t room);
  /// Someone whose identity is of no use says this.
  void hear_stranger(const std::string& frame);

  // --- Time ------------------------------------------------------------------------------------

  /// Reads, works and sends, as far as `now`.
  void advance(Moment now);
  /// The routing thread stands still until then.
  void stand_still(Moment until);
  [[nodiscard]] Moment next() const;
  void set_wall(std::uint64_t wall);

  [[nodiscard]] std::uint64_t wall() const { return wall_; }

  [[nodiscard]] World& world() { return *world_; }

  [[nodiscard]] const World& world() const { return *world_; }

  [[nodiscard]] std::vector<std::string> take_log();

  /// Wires whose other end may have something to do.
  [[nodiscard]] const std::vector<WireRef>& wires() const { return wires_; }

 private:
  void read(Moment now);
  void read(Wire& wire, Moment now);
  void send(Moment now);
  void note_ends(Moment now);
  void keep_house(Moment now);

  [[nodiscard]] Moment local(Moment now) const { return now - started_ + core::kSecond; }

  core::Limits limits_;
  std::optional<World> world_;
  std::vector<WireRef> wires_;
  std::vector<std::pair<core::ConnectionId, Moment>> gone_;  // And since when.
  std::map<std::string, core::ConnectionId> by_identity_;    // Of sockets that reconnect.
  std::uint64_t run_ = 0;
  std::uint64_t id_floor_ = 0;
  std::uint64_t wall_ = 0;
  Moment started_ = 0;
  Moment still_until_ = 0;
  bool draining_ = false;
};

}  // namespace zpost::sim
