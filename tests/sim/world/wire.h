// One connection between a program's socket and the broker's, as libzmq and TCP make it.
//
// Frames of a direction arrive in order, each after a delay. A direction may stall: what is in it
// waits until it goes on, or is lost with the connection. Who cuts it decides how much of what is
// on its way still arrives; the two ends learn of the end at different times.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/core/action.h"
#include "tests/sim/dice.h"
#include "tests/sim/world/clock.h"
#include "tests/sim/world/window_gauge.h"

namespace zpost::sim {

class Wire {
 public:
  /// How a connection behaves: set when it is made.
  struct Nature {
    Moment delay = 100 * kMicrosecond;
    Moment jitter = 0;
    std::size_t held_by_tcp = 64;  // Frames to the program that are under way at most.
    std::uint64_t seed = 1;
  };

  Wire(std::string name, Nature nature)
      : name_(std::move(name)), nature_(nature), dice_(nature.seed) {}

  [[nodiscard]] const std::string& name() const { return name_; }

  // --- The program's end -----------------------------------------------------------------------

  void send_up(Moment now, std::string frame);
  /// The frames that arrived by now, oldest first. None while the direction stalls.
  [[nodiscard]] std::vector<std::string> receive_down(Moment now);
  /// Why the program's socket says the connection is lost; empty while it does not.
  [[nodiscard]] std::string loss(Moment now) const;

  /// Frames of the program that are still on their way.
  [[nodiscard]] std::size_t unsent() const { return up_.size(); }

  /// The program's process or its library gives the socket up. What TCP has of it still arrives.
  void close_by_program(Moment now, bool lingers);

  [[nodiscard]] bool closed_by_program() const { return closed_by_program_; }

  // --- The broker's end ------------------------------------------------------------------------

  /// Where it ended up in the broker; kNone before the first frame was accepted there.
  core::ConnectionId connection = core::kNone;

  [[nodiscard]] std::vector<std::string> arrived_up(Moment now);
  /// All that has not arrived yet.
  [[nodiscard]] std::vector<std::string> take_all_up();
  /// What libzmq had read of a connection whose end was told already.
  [[nodiscard]] std::vector<std::string> take_late(Moment now);

  /// How many more frames go on their way to the program.
  [[nodiscard]] std::size_t room_down() const {
    return down_.size() >= nature_.held_by_tcp || ended_ ? 0 : nature_.held_by_tcp - down_.size();
  }

  void send_down(Moment now, std::string frame);

  /// Whether the broker's socket tells of the end at this moment; once.
  [[nodiscard]] bool tells_broker(Moment now);

  /// The broker's process shut it down, or is gone.
  void end_by_broker(Moment now);

  // --- What befalls it -------------------------------------------------------------------------

  /// Cut in the middle: some of what is on its way arrives, each end learns of it in its time.
  void cut(Moment now, Dice& dice);
  /// From now on nothing arrives in these directions.
  void stall(bool up, bool down);
  /// What stalled goes on.
  void go_on(Moment now);

  [[nodiscard]] bool stalled() const { return up_stalls_ || down_stalls_; }

  [[nodiscard]] bool ended() const { return ended_; }

  /// Nothing of it is left to happen.
  [[nodiscard]] bool over() const {
    return ended_ && broker_told_ && late_.empty() && up_.empty() &&
           (closed_by_program_ || program_told_);
  }

  /// The frames that never arrived at a connection that is over: libzmq may show them under an
  /// identity of its own.
  [[nodiscard]] std::vector<std::string> take_lost() { return std::exchange(lost_, {}); }

  /// When something of it happens next.
  [[nodiscard]] Moment next_for_broker() const;
  [[nodiscard]] Moment next_for_program() const;

  WindowGauge gauge;

 private:
  struct Packet {
    Moment at = 0;
    std::string frame;
  };

  [[nodiscard]] Moment arrival(Moment now, Moment& last);
  [[nodiscard]] static std::vector<std::string> take_until(std::deque<Packet>& from, Moment now);
  void keep(std::deque<Packet>& packets, std::size_t count);

  std::string name_;
  Nature nature_;
  SeededDice dice_;
  std::deque<Packet> up_;
  std::deque<Packet> down_;
  std::deque<Packet> late_;  // Up, told after the end.
  std::vector<std::string> lost_;
  Moment last_up_ = 0;
  Moment last_down_ = 0;
  bool up_stalls_ = false;
  bool down_stalls_ = false;
  bool ended_ = false;
  bool closed_by_program_ = false;
  bool program_told_ = false;
  bool broker_told_ = false;
  Moment program_learns_ = kNeverComes;
  Moment broker_learns_ = kNeverComes;
};

}  // namespace zpost::sim
