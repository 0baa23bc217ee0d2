// Services: their workers, and the calls that wait for one. SPEC.md, section 17.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/core/exchanges.h"
#include "broker/core/slots.h"

namespace zpost::core {

struct Worker {
  SessionId session = kNone;
  std::uint64_t capacity = 1;
  std::uint64_t in_hand = 0;  // Calls it has or is sent.
};

/// Calls that wait: in order for each caller, callers in turn.
class CallQueue {
 public:
  void push(NameId caller, ExchangeId call);
  /// In front of the caller's others: it was on its way already.
  void push_front(NameId caller, ExchangeId call);
  /// REQUIRES: !empty().
  [[nodiscard]] ExchangeId pop();

  [[nodiscard]] bool empty() const { return turns_.empty(); }

 private:
  std::unordered_map<NameId, std::deque<ExchangeId>> calls_;
  std::deque<NameId> turns_;  // Callers with calls.
};

struct Service {
  std::string name;
  std::vector<Worker> workers;
  CallQueue queue;
  std::size_t waiting = 0;       // Open calls in the queue.
  std::size_t calls = 0;         // Exchanges that speak of it.
  std::int64_t alone_since = 0;  // Without workers.
  std::size_t next_worker = 0;   // Where the search among equals begins.
  std::size_t latest_worker = 0;
  std::int64_t served_at = INT64_MIN;  // When the latest worker was chosen.
};

/// Services by name, while they have workers or calls. Thread: one.
class Services {
 public:
  [[nodiscard]] Service& operator[](ServiceId id) { return slots_[id]; }

  /// kNone: there is none.
  [[nodiscard]] ServiceId find(std::string_view name) const;
  [[nodiscard]] ServiceId find_or_make(std::string_view name);
  void erase(ServiceId id);

  [[nodiscard]] std::size_t size() const { return by_name_.size(); }

  /// Calls `act(id)` for each; `act` may erase it.
  template <typename Act>
  void each(Act act) {
    for (ServiceId id = 0; id < slots_.end(); ++id) {
      if (!slots_[id].name.empty()) act(id);
    }
  }

 private:
  Slots<Service> slots_;
  std::unordered_map<std::string, ServiceId, TextHash, std::equal_to<>> by_name_;
};

}  // namespace zpost::core
