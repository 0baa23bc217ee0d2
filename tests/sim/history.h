// A random history of several peers and one router, checked at every step.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/broker/core/support/fake_peer.h"
#include "tests/broker/core/support/world.h"
#include "tests/sim/dice.h"
#include "tests/sim/tap_witness.h"
#include "tests/sim/witness.h"

namespace zpost::sim {

/// Honest peers (with and without acks and resume), some of them sharing a name, and a wrong one
/// talk while connections die, pipes fill and time passes. Then everyone settles down, and nothing
/// may be left open. Throws core::test::Broken or Violation when something does not fit.
class History {
 public:
  using Tell = std::function<void(const std::string&)>;

  /// `tell`, unless empty, gets a line for all that happens.
  History(Dice& dice, Tell tell);

  /// All of it: the beginning, so many steps unless the dice are exhausted before, and the end.
  void run(std::size_t steps);
  /// Its parts, for who leaves steps out.
  void begin();
  void step();
  void settle_down();

  [[nodiscard]] std::uint64_t envelopes() const { return witness_.sent(); }

 private:
  using FakePeer = core::test::FakePeer;

  [[nodiscard]] static core::Limits choose_limits(Dice& dice);
  [[nodiscard]] static bool tells_all(const core::Limits& limits);
  void add_peers();
  [[nodiscard]] Will some_will(std::string_view name);
  void do_something();
  void check();

  // history.cpp: what honest peers do
  void send_some(FakePeer& peer);
  void write_one(FakePeer& peer);
  /// The id; 0: the page does not allow it now.
  std::uint64_t try_write(FakePeer& peer, Kind kind, std::string_view to, std::string_view body,
                          const Meta& meta = {});
  [[nodiscard]] std::uint64_t some_size();
  void ask_broker(FakePeer& peer);
  void read_some(FakePeer& peer);
  void take_and_ack(FakePeer& peer);
  void come_back(FakePeer& peer);
  void leave(FakePeer& peer);
  void say_hello(FakePeer& peer);
  void trouble(FakePeer& peer);
  void pass_time();
  void read(FakePeer& peer, std::size_t frames);
  [[nodiscard]] std::string some_name();

  // topics.cpp
  void take_part(FakePeer& peer);
  void subscribe(FakePeer& peer);
  void unsubscribe(FakePeer& peer);
  void publish_some(FakePeer& peer);
  void publish_one(FakePeer& peer, std::string_view topic, const Meta& meta);

  // services.cpp
  void ask_and_answer(FakePeer& peer);
  void offer(FakePeer& peer);
  void withdraw(FakePeer& peer);
  void ask_some(FakePeer& peer);
  void ask_one(FakePeer& peer, Kind kind);
  void cancel(FakePeer& peer);
  void answer_some(FakePeer& peer);
  void reply(FakePeer& peer, const Exchanges::Key& key, std::uint64_t size, bool more = false);

  // mischief.cpp: what wrong ones do
  void mischief();
  void wrong_envelope(FakePeer& peer);
  void wrong_control(FakePeer& peer);
  void damaged_frame(FakePeer& peer);

  // quiet.cpp: the end
  void end_mischief();
  void tidy_up(FakePeer& peer);
  void tidy_up_until_quiet();
  void nobody_subscribes();
  void everyone_hears_everything();
  void everyone_calls_everyone();
  void everyone_leaves();
  [[nodiscard]] bool is_quiet() const;
  [[nodiscard]] std::string what_is_left() const;

  void say(const std::string& line) {
    if (tell_) tell_(line);
  }

  Dice& dice_;
  Tell tell_;
  core::Limits limits_;
  core::test::World world_;
  Witness witness_;
  TapWitness tap_witness_;
  std::vector<std::unique_ptr<FakePeer>> peers_;     // Honest.
  std::vector<std::unique_ptr<FakePeer>> usurpers_;  // Honest, with the name of another.
  std::unique_ptr<FakePeer> mallory_;
  std::uint64_t instances_ = 0;
  std::uint64_t to_send_ = 0;  // While settling down.
};

}  // namespace zpost::sim
