// Knows what honest peers published, who subscribed to it, and that what arrives fits.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/broker/core/support/fake_peer.h"

namespace zpost::sim {

/// Throws core::test::Broken when a subscriber gets what it did not ask for, gets something twice
/// or out of order, hears of more than there was, or is given an old value for a topic's.
class News {
 public:
  void on_sent(const EnvelopeFields& fields);
  void on_interest(const core::test::FakePeer& peer, Kind kind, Bytes body);
  /// A publish of an honest peer arrived.
  void on_arrived(const core::test::FakePeer& peer, const EnvelopeView& view);
  /// So many were dropped before what arrives next.
  void on_gap(const core::test::FakePeer& peer, std::uint64_t count);
  /// What its publisher was told of it; nothing else was told before.
  void on_told(std::string_view from, std::uint64_t id, const OutcomeNotice& notice);
  void on_settled(std::string_view from, std::uint64_t id);

  /// Up to so many more were published by somebody else.
  void add_strange(std::uint64_t count) { strange_ += count; }

  // --- Of a session, by its epoch --------------------------------------------------------------

  /// All it ever subscribed to.
  [[nodiscard]] std::vector<std::string> patterns(std::uint64_t epoch) const;

  /// Publishes that it got or was told it missed; retained values that it got are none.
  [[nodiscard]] std::uint64_t heard(std::uint64_t epoch) const;

 private:
  /// The publisher's name and the id.
  using Key = std::pair<std::string, std::uint64_t>;

  struct Notice {
    std::string topic;
    bool retain = false;
    bool needs_subscriber = false;
    bool refused = false;       // It reached nobody.
    std::uint64_t arrived = 0;  // At so many subscribers,
    std::uint64_t queues = 0;   // of so many that took it,
    bool counted = false;       // if that was told.
    std::uint64_t sent_at = 0;  // Places in the order of all that was seen; 0: not yet.
    std::uint64_t settled_at = 0;
  };

  struct Interest {
    bool wants_own = false;
    std::uint64_t since = 0;
  };

  struct Subscriber {
    std::map<std::string, Interest, std::less<>> patterns;  // All it ever said.
    std::uint64_t news = 0;
    std::uint64_t missed = 0;
    std::set<Key> arrived;
    std::map<std::string, std::uint64_t, std::less<>> last;  // By publisher.
    std::uint64_t subscribed = 0;                            // How often.
  };

  void check_value(const Notice& notice, const Subscriber& subscriber, std::string_view what) const;
  void check_news(const Key& key, Notice& notice, Subscriber& subscriber, std::string_view what);
  void check_total(const Subscriber& subscriber, std::string_view name) const;

  std::map<Key, Notice> notices_;
  std::map<std::string, std::uint64_t, std::less<>> published_;  // By topic.
  std::map<std::string, std::vector<Key>, std::less<>> values_;  // Retained, by topic.
  std::map<std::uint64_t, Subscriber> subscribers_;              // By epoch.
  std::uint64_t strange_ = 0;
  std::uint64_t seen_ = 0;
};

}  // namespace zpost::sim
