// What `top` knows: tables of peers, topics and services. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tools/inspect/broker_stats.h"
#include "tools/inspect/tail_line.h"
#include "tools/inspect/top_series.h"
#include "zpost/peer/peer.h"

namespace zpost::inspect {

/// A peer, a topic or a service.
struct TopRow {
  std::string name;
  // What came from a peer, was published on a topic, was called of a service …
  Meter in;
  // … and what it took, the copies for subscribers, what was answered.
  Meter out;
  Meter failed;
  std::uint64_t failures = 0;  // Since the beginning …
  std::map<Outcome, std::uint64_t> failures_by;
  LatencyWindow latencies;    // Until what it gets is taken; of a service until it is answered.
  std::uint64_t members = 0;  // Queues of a topic, workers of a service.
  // Of peers, as the broker says it.
  std::string state;  // Empty: it is not there.
  std::uint64_t queued = 0;
  std::uint64_t queued_bytes = 0;
  std::uint64_t unacked = 0;
  bool stalled = false;  // It must wait, and for whom (empty: its credit) …
  std::string stalled_by;
  std::uint64_t standing_ns = 0;           // Since when it takes nothing of what waits; 0: it does.
  std::uint64_t dropped = 0;               // Copies it did not get, since the beginning.
  std::deque<std::uint64_t> backlog = {};  // queued + unacked, each time the broker said them.
  std::uint64_t dropped_ns = 0;            // When the latest copy was dropped; 0: never.
  std::uint64_t active_ns = 0;             // When anything of it was seen last.
};

/// Why a peer counts as a slow consumer; empty: it does not.
[[nodiscard]] std::string slowness(const TopRow& row, std::uint64_t now_ns);

enum class TopTab : std::uint8_t { kPeers, kTopics, kServices };
inline constexpr std::size_t kTopTabs = 3;

/// Bounded: of each table the least active rows are forgotten. Copyable, so that what is on the
/// screen can stand still. Times are ns since 1970 and do not go back. Thread: one.
class TopModel {
 public:
  static constexpr std::size_t kMaxRows = 2048;  // Of a table.

  /// `line` completed by TailFilter, and wanted.
  void apply(const TailLine& line);
  /// Remembers what was received, wanted or not: records of what became of a publish or call do not
  /// all say its topic or service. Call before apply().
  void learn(const TailLine& line);

  /// `peers`: all that the broker knows now. Without a filter the rates are the broker's own, which
  /// are exact when records are missed.
  void apply(const std::vector<peer::Peer::PeerInfo>& peers, std::uint64_t now_ns);
  void apply(const BrokerStats& numbers, std::uint64_t now_ns);

  /// Time passes: ends the seconds that are over.
  void turn(std::uint64_t now_ns);

  /// Forgets all traffic: what is wanted has changed. `filtered`: not all is wanted, so that peers
  /// count with what is.
  void restart(bool filtered);

  /// In no order.
  [[nodiscard]] std::vector<const TopRow*> rows(TopTab tab) const;
  [[nodiscard]] const TopRow* find(TopTab tab, const std::string& name) const;

  [[nodiscard]] const BrokerStats& numbers() const { return numbers_; }

  /// When the broker answered last; 0: never.
  [[nodiscard]] std::uint64_t answered_ns() const { return answered_ns_; }

  /// Whether the broker gave its numbers within three seconds, or was only just asked.
  [[nodiscard]] bool answers() const { return silent_since_ns_ + kStale >= now_ns_; }

  [[nodiscard]] std::uint64_t now_ns() const { return now_ns_; }

  [[nodiscard]] std::uint64_t missed() const { return missed_; }

  [[nodiscard]] const Meter& in() const { return in_; }

  [[nodiscard]] const Meter& out() const { return out_; }

  [[nodiscard]] const Meter& failed() const { return failed_; }

 private:
  static constexpr std::uint64_t kStale = 3'000'000'000;
  using Table = std::map<std::string, TopRow>;

  /// Where a publish or call was to go.
  struct Target {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::uint64_t step = 0;
    std::uint8_t kind_number = 0;
    std::string name;
  };

  static constexpr std::size_t kMaxTargets = 256;  // Of a sender.
  static constexpr std::size_t kMaxSenders = 512;

  TopRow& row(TopTab tab, const std::string& name);

  [[nodiscard]] Table& table(TopTab tab) { return tables_[static_cast<std::size_t>(tab)]; }

  void forget_quiet(Table& table) const;
  /// The topic or service of an envelope; nothing: it has none of `tab`, or it is not known.
  [[nodiscard]] TopRow* target_of(const TailLine& line, TopTab tab);
  void on_received(const TailLine& line);
  void on_delivered(const TailLine& line);
  void on_failed(const TailLine& line);
  void on_answered(const TailLine& line);
  void on_peer(const peer::Peer::PeerInfo& info, std::uint64_t now_ns);
  void end_second();

  std::array<Table, kTopTabs> tables_;
  std::map<std::string, std::deque<Target>> targets_;
  BrokerStats numbers_;
  Meter in_;
  Meter out_;
  Meter failed_;
  std::uint64_t missed_ = 0;
  std::uint64_t answered_ns_ = 0;
  std::uint64_t silent_since_ns_ = 0;  // Its last answer or, before one, the first turn().
  std::uint64_t now_ns_ = 0;
  std::uint64_t second_ = 0;  // Since 1970: the one under way; 0: none yet.
  bool filtered_ = false;
};

}  // namespace zpost::inspect
