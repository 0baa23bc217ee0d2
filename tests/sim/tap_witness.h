// Holds what the tap is told of each envelope to a story that can be.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "broker/core/action.h"

namespace zpost::sim {

/// Throws core::test::Broken when an envelope is forwarded, held or delivered that was not
/// received, or when a run's ids are not in equal steps. Of envelopes from one peer to another:
/// those of topics and services have stories of their own.
class TapWitness {
 public:
  void see(const std::vector<core::TapNote>& notes);

 private:
  enum class State : std::uint8_t { kReceived, kHeld, kForwarded, kSettled };

  /// The sender's number and the id.
  using Key = std::pair<std::uint32_t, std::uint64_t>;

  void see(const TapRecord& record);
  void see(const TapRecord& record, std::uint64_t id);

  std::map<Key, State> states_;
};

}  // namespace zpost::sim
