// Knows every notice any program published, who was given it, and what its publisher was told.
//
// A notice is a publish, known by a serial number in its body. docs/simulation.md lists the rules.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/sim/world/letter_book.h"

namespace zpost::sim {

class NoticeBook {
 public:
  // --- Programs, by the numbers LetterBook gave them -------------------------------------------

  void add_instance(InstanceId instance, const std::string& name);
  void end_instance(InstanceId instance, LetterBook::End how);

  /// It was welcomed in this run of the broker.
  void note_run(InstanceId instance, std::uint64_t run) { instances_[instance].run = run; }

  // --- Publishers ------------------------------------------------------------------------------

  [[nodiscard]] Serial write(InstanceId publisher, std::string_view topic, bool needs_subscriber);
  void note_id(Serial serial, std::uint64_t id);
  /// The latest was never accepted.
  void forget(Serial serial);
  /// False: the report is about something else.
  [[nodiscard]] bool note_report(InstanceId publisher, const peer::OutcomeReport& report);

  // --- Subscribers -----------------------------------------------------------------------------

  void note_subscribed(InstanceId subscriber, const std::string& pattern);
  void note_given(InstanceId subscriber, const EnvelopeView& view);
  /// So many were dropped before what it is given next.
  void note_gap(InstanceId subscriber, std::uint64_t count);

  /// News it was given, or told it missed: retained values are none.
  [[nodiscard]] std::uint64_t heard_of(InstanceId subscriber) const {
    const Instance& it = instances_.at(subscriber);
    return it.news + it.missed;
  }

  [[nodiscard]] std::uint64_t missed(InstanceId subscriber) const {
    return instances_.at(subscriber).missed;
  }

  // --- The end ---------------------------------------------------------------------------------

  /// Notices of living programs without an outcome, in words; empty if there are none.
  [[nodiscard]] std::string open_notices() const;

  [[nodiscard]] std::uint64_t written() const { return notices_.size(); }

 private:
  struct Notice {
    Serial serial = 0;
    InstanceId publisher = 0;
    std::string topic;
    std::uint64_t id = 0;
    bool needs_subscriber = false;
    bool given = false;
    bool publisher_gone = false;
    Outcome outcome = Outcome::kNone;
  };

  struct Instance {
    std::string name;
    bool ended = false;
    std::uint64_t run = 0;
    std::vector<std::string> patterns;  // All it ever subscribed to.
    std::uint64_t news = 0;
    std::uint64_t missed = 0;
    std::map<Serial, std::uint64_t> given;  // In which run.
    // The latest id by publisher and run.
    std::map<std::pair<InstanceId, std::uint64_t>, std::uint64_t> last_given;
    std::map<std::uint64_t, Serial> by_id;  // What it published.
  };

  [[nodiscard]] Notice& notice_of(const EnvelopeView& view);
  void check_news(const Notice& notice, Instance& subscriber);
  [[nodiscard]] std::string describe(const Notice& notice) const;

  std::deque<Notice> notices_;  // Serial 1 first.
  std::map<InstanceId, Instance> instances_;
};

/// The body of a notice: its serial and filling, `size` bytes but at least twelve.
[[nodiscard]] std::string notice_body(Serial serial, std::size_t size);

}  // namespace zpost::sim
