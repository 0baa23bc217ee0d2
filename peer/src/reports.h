// Outcome reports that wait for the program. Successes are kept as runs and told one by one.
//
// Pure: no sockets, clocks or threads. Bounded: see Options::max_outcome_reports.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "zpost/peer/message.h"

namespace zpost::peer {

class Reports {
 public:
  explicit Reports(std::size_t limit) : limit_(limit) {}

  /// `count` envelopes with consecutive ids and the same outcome.
  void add(std::string_view to, std::uint64_t first_id, std::uint64_t count, Outcome outcome,
           std::string_view text = {});

  /// One with a count of its own: see OutcomeReport::count.
  void add_counted(std::string_view to, std::uint64_t id, Outcome outcome, std::uint64_t counted);

  [[nodiscard]] bool empty() const { return successes_.empty() && failures_.empty(); }

  /// The oldest report.
  [[nodiscard]] std::optional<OutcomeReport> next();

  /// Reports that were dropped because of the limit.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  struct Entry {
    std::uint64_t order = 0;  // Of arrival, in both queues.
    std::uint64_t first_id = 0;
    std::uint64_t count = 0;
    Outcome outcome = Outcome::kNone;
    std::string to;
    std::string text;
    std::optional<std::uint64_t> counted;
  };

  void add(Entry entry);
  void drop_oldest();

  std::size_t limit_;
  std::uint64_t held_ = 0;
  std::uint64_t dropped_ = 0;
  std::uint64_t order_ = 0;
  std::deque<Entry> successes_;
  std::deque<Entry> failures_;
};

}  // namespace zpost::peer
