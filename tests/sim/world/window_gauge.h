// Watches one connection from the broker's side: window, demand, and that what has ended stays so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string_view>

#include "zpost/protocol/control.h"

namespace zpost::sim {

/// Throws Violation when the broker sends what SPEC.md, section 7, does not let it.
class WindowGauge {
 public:
  /// The connection took the place of one of the same identity, which had a session: what goes to
  /// that comes here until the broker hears of it.
  void inherit() { welcomed_ = true; }

  /// The broker is about to read this frame of the peer.
  void on_up(std::string_view frame);
  /// The broker has read all it was given; `waiting` frames are still on their way from it.
  void on_turn(std::size_t waiting);
  /// The broker handed this frame to the connection.
  void on_down(std::string_view frame);

 private:
  struct Mark {
    std::uint64_t last = 0;  // Lane number.
    std::uint64_t bytes = 0;
  };

  void begin_again();
  void on_hello(const Hello& hello);
  void on_welcome(const Welcome& welcome);
  void on_ack(const Ack& ack);
  void on_program_lane(std::uint64_t count, std::uint64_t bytes);

  bool welcomed_ = false;
  bool leaving_ = false;    // The peer said goodbye, in this turn,
  bool left_ = false;       // or before,
  std::size_t before_ = 0;  // and so many frames were under way by then.
  bool ended_ = false;      // The broker refused it or said goodbye.
  bool acks_ = false;
  bool demands_ = false;
  std::uint64_t hello_demand_ = UINT64_MAX;
  std::uint64_t demand_ = UINT64_MAX;  // The highest lane number asked for.
  std::uint64_t window_bytes_ = 0;
  std::uint64_t window_frames_ = 0;
  std::uint64_t lane_ = 0;
  std::uint64_t bytes_ = 0;
  std::deque<Mark> marks_;  // Frames that are not acknowledged.
};

}  // namespace zpost::sim
