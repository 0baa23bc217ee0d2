// A minimal client on a socket as libzmq makes it: SPEC.md, section 14.
//
// It acknowledges and resumes nothing. Its socket reconnects by itself, keeps its identity, and
// sends what TCP had not taken yet before anything else. One letter to a name at a time keeps it
// within any credit.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <set>
#include <string>
#include <string_view>

#include "tests/sim/dice.h"
#include "tests/sim/world/broker_host.h"
#include "tests/sim/world/letter_book.h"

namespace zpost::sim {

class PlainClient {
 public:
  using Tell = std::function<void(const std::string&)>;

  PlainClient(std::string name, std::uint64_t seed, LetterBook& book, BrokerHost& broker,
              Tell tell);

  void advance(Moment now);
  [[nodiscard]] Moment next() const;

  /// A small letter, unless one to that name is open.
  void send(const std::string& to);
  void goodbye();
  /// Its process is gone.
  void end();

  [[nodiscard]] const std::string& name() const { return name_; }

  [[nodiscard]] Wire* wire() { return wire_.get(); }

  [[nodiscard]] bool welcomed() const { return welcomed_; }

 private:
  void connect();
  void notice_loss();
  void pass_on();
  void on_frame(std::string_view frame);
  void on_envelope(const EnvelopeView& view);
  void on_receipt(const Receipt& receipt);
  void say_hello();
  void put(const EnvelopeFields& fields);
  void say(const std::string& what) const;

  std::string name_;
  SeededDice dice_;
  LetterBook& book_;
  BrokerHost& broker_;
  Tell tell_;
  InstanceId instance_;
  Moment now_ = 0;
  WireRef wire_;
  Moment connect_at_ = 0;
  Moment hello_at_ = 0;  // Unless welcomed by then.
  bool welcomed_ = false;
  std::deque<std::string> outbox_;  // In libzmq, not yet in TCP.
  std::uint64_t next_id_ = 0;
  std::set<std::string, std::less<>> open_;  // Names with a letter that is not settled.
};

}  // namespace zpost::sim
