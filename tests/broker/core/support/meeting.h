// A world and peers that were welcomed: where most tests begin.
#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "tests/broker/core/support/describe.h"
#include "tests/broker/core/support/fake_peer.h"
#include "tests/broker/core/support/world.h"

namespace zpost::core::test {

class Meeting {
 public:
  explicit Meeting(const Limits& limits = {}) : world(limits) {}

  /// A peer that connected and said hello, and heard what came of it.
  FakePeer& join(FakePeer::Options options) {
    options.instance =
        options.instance == instance_of(1) ? instance_of(100 + ++peers_) : options.instance;
    FakePeer& peer = all_.emplace_back(world, std::move(options));
    come(peer);
    return peer;
  }

  FakePeer& join(const std::string& name) { return join(FakePeer::Options{.name = name}); }

  /// One without abilities.
  FakePeer& join_simple(const std::string& name) {
    return join(FakePeer::Options{.name = name, .acks = false, .resume = false, .pong = false});
  }

  /// Hello on a new connection. The old one, if any, stays as it is.
  void come(FakePeer& peer) {
    peer.connect();
    peer.hello();
    world.settle();
    peer.read();
  }

  /// What `peer` has been sent by now, a line for each envelope.
  std::vector<std::string> heard(FakePeer& peer) {
    world.settle();
    std::vector<std::string> lines;
    for (const std::string& frame : peer.read()) {
      for (std::string& line : describe(frame)) lines.push_back(std::move(line));
    }
    return lines;
  }

  /// Everyone reads, takes and acknowledges until nothing more comes of it.
  void catch_up() {
    for (int i = 0; i < 4; ++i) {
      world.advance(3 * kMillisecond);
      for (FakePeer& peer : all_) peer.keep_up();
    }
    world.settle();
  }

  World world;

 private:
  std::deque<FakePeer> all_;
  std::uint64_t peers_ = 0;
};

}  // namespace zpost::core::test
