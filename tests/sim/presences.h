// Knows what watchers were told of others, and that it fits together.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/broker/core/support/fake_peer.h"

namespace zpost::sim {

/// Throws core::test::Broken when a watcher is told of whom it does not watch, or that somebody
/// joined who is there, or left who is not.
class Presences {
 public:
  /// `complete`: the limits are such that the broker tells all of it.
  explicit Presences(bool complete) : complete_(complete) {}

  void on_watch(const core::test::FakePeer& watcher, Bytes body);
  void on_arrived(const core::test::FakePeer& watcher, const EnvelopeView& view);

 private:
  struct Watcher {
    std::vector<std::string> patterns;                        // All it ever said.
    bool sure = true;                                         // It ended no watch so far.
    std::map<std::string, std::string, std::less<>> present;  // Instances, by name.
  };

  bool complete_;
  std::map<std::uint64_t, Watcher> watchers_;  // By epoch.
};

}  // namespace zpost::sim
