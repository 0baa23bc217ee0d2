// Shows inspectors what the broker does, now and before. protocol/SPEC.md, section 12.
//
// The routing thread only writes notes into a ring; everything else is the tap's thread's: the
// flight recorder, filters, packing. What is ready comes back as bodies.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "broker/core/router.h"
#include "broker/tap/desk.h"
#include "broker/tap/note_ring.h"
#include "broker/tap/sleeper.h"

namespace zpost::tap {

struct TapSettings {
  std::size_t recorder_bytes = 0;  // 0: nothing is recorded.
  std::size_t ring_bytes = 4 << 20;
  bool thread = true;               // False: work() must be called, for tests.
  std::function<void()> wake = {};  // Wakes the routing thread. Any thread calls it.
};

/// Never slows routing: what there is no room for is missed, and told with its count.
/// Thread: routing only, but for work() of one without a thread.
class Tap {
 public:
  Tap(core::Router& router, TapSettings settings);
  ~Tap();
  Tap(const Tap&) = delete;
  Tap& operator=(const Tap&) = delete;

  /// A session asks for the tap, or asks anew. REQUIRES: a request that parse_tap_filter() reads;
  /// the core passes on no other.
  void open(core::SessionId session, Bytes request);
  /// The same with parse_recall().
  void recall(core::SessionId session, Bytes request);
  /// Ends both.
  void close(core::SessionId session);

  /// Takes the notes of a step, while `frame` is still there.
  void take(const std::vector<core::TapNote>& notes, Bytes frame);

  /// Sends what is ready: one body to a session, since the core takes the next one when it has
  /// handed over the last. `out` must be executed. True: something was sent, so call again once it
  /// was flushed.
  [[nodiscard]] bool flush(core::Now now, core::Actions& out);

  /// Whether anybody is to be sent anything.
  [[nodiscard]] bool open() const { return !listeners_.empty() || !recalls_.empty(); }

  /// What the flight recorder holds, in bytes.
  [[nodiscard]] std::size_t recorded_bytes() const { return desk_.recorded_bytes(); }

  [[nodiscard]] std::size_t recorder_limit() const { return settings_.recorder_bytes; }

  /// Its records, and the time of the oldest; 0: there is none.
  [[nodiscard]] std::uint64_t recorded() const { return desk_.recorded(); }

  [[nodiscard]] std::uint64_t oldest_ns() const { return desk_.oldest_ns(); }

  /// Records there was no room for, ever.
  [[nodiscard]] std::uint64_t missed() const { return missed_; }

  /// Does what the thread would.
  void work(std::uint64_t now_ns);

 private:
  struct Listening {
    std::uint64_t ticket = 0;
    std::uint32_t snap = 0;  // What it is to be shown of envelopes.
    bool each = false;       // Of each of them.
  };

  [[nodiscard]] bool is_wanted(const OutBody& body) const;
  [[nodiscard]] bool tell_name(std::uint32_t number);
  void put_or_lose(const core::TapNote& note, Bytes frame);
  void put_in_parts(const core::TapNote& note, Bytes frame);
  [[nodiscard]] bool put(const core::TapNote& note, Bytes frame);
  void choose_detail();
  template <typename Order>
  void tell(Order order);
  void run();

  core::Router& router_;
  const TapSettings settings_;
  NoteRing ring_;
  TapMail mail_;
  Desk desk_;
  Sleeper sleeper_;
  std::map<core::SessionId, Listening> listeners_;
  std::map<core::SessionId, std::uint64_t> recalls_;  // Their tickets.
  std::uint64_t next_ticket_ = 1;
  std::uint32_t snap_ = 0;  // The most that a listener wants.
  bool each_ = false;       // One wants something of each envelope.
  std::map<core::SessionId, std::deque<OutBody>> waiting_;
  std::vector<std::string> told_;  // Names by number, as the tap's thread knows them.
  std::uint64_t lost_ = 0;         // Notes there was no room for, since the last there was.
  std::uint64_t missed_ = 0;       // The same, ever.
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace zpost::tap
