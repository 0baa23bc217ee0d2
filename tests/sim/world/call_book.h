// Knows every call any program made, which workers were given it, and how it ended.
//
// A call is known by a serial number in its body; its replies are letters. docs/simulation.md lists
// the rules.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "tests/sim/world/letter_book.h"

namespace zpost::sim {

class CallBook {
 public:
  // --- Programs, by the numbers LetterBook gave them -------------------------------------------

  void add_instance(InstanceId instance, const std::string& name);
  void end_instance(InstanceId instance, LetterBook::End how);

  /// It was welcomed in this run of the broker.
  void note_run(InstanceId instance, std::uint64_t run) { instances_[instance].run = run; }

  // --- Callers ---------------------------------------------------------------------------------

  [[nodiscard]] Serial write(InstanceId caller, std::string_view service);

  void note_id(Serial serial, std::uint64_t id) { calls_[serial - 1].id = id; }

  /// The latest was never accepted.
  void forget(Serial serial);

  void note_cancelled(Serial serial) { calls_[serial - 1].cancelled = true; }

  /// Its final outcome. `answerer` wrote the reply, if there is one.
  void note_answer(Serial serial, const peer::Answer<peer::Message>& answer, InstanceId answerer);

  // --- Workers ---------------------------------------------------------------------------------

  void note_offered(InstanceId worker, const std::string& service) {
    instances_[worker].services.insert(service);
  }

  void note_given(InstanceId worker, const EnvelopeView& view);

  // --- The end ---------------------------------------------------------------------------------

  /// Calls of living programs without an outcome, in words; empty if there are none.
  [[nodiscard]] std::string open_calls() const;

  [[nodiscard]] std::uint64_t written() const { return calls_.size(); }

 private:
  struct Call {
    Serial serial = 0;
    InstanceId caller = 0;
    std::string service;
    std::uint64_t id = 0;
    bool cancelled = false;
    bool caller_gone = false;
    std::set<InstanceId> workers;                                // Who were given it,
    std::set<std::pair<std::uint64_t, std::uint64_t>> attempts;  // by run and attempt.
    Outcome outcome = Outcome::kNone;
  };

  struct Instance {
    std::string name;
    bool ended = false;
    std::uint64_t run = 0;
    std::set<std::string> services;  // All it ever offered.
  };

  [[nodiscard]] Call& call_of(const EnvelopeView& view);
  [[nodiscard]] std::string describe(const Call& call) const;

  std::deque<Call> calls_;  // Serial 1 first.
  std::map<InstanceId, Instance> instances_;
};

/// The body of a call: its serial and filling, `size` bytes but at least twelve.
[[nodiscard]] std::string call_body(Serial serial, std::size_t size);

}  // namespace zpost::sim
