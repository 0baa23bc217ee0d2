#include "tests/sim/presences.h"

#include <fmt/format.h>

#include <algorithm>

#include "zpost/protocol/names.h"

namespace zpost::sim {

using core::test::FakePeer;
using core::test::require;

void Presences::on_watch(const FakePeer& watcher, Bytes body) {
  const auto watch = decode_watch(body);
  require(bool(watch), "an honest peer's watch cannot be read");
  Watcher& it = watchers_[watcher.epoch()];
  if (watch->on) it.patterns.emplace_back(watch->pattern);
  it.sure &= watch->on;
}

void Presences::on_arrived(const FakePeer& watcher, const EnvelopeView& view) {
  const auto presence = decode_presence(view.body);
  require(bool(presence), watcher.name() + " is told of a presence that cannot be read");
  const std::string& name = presence->peer;
  const std::string& instance = presence->instance;
  const std::string what =
      fmt::format("{} is told that {} ({}) is {}", watcher.name(), name, instance, presence->event);
  Watcher& it = watchers_[watcher.epoch()];
  const bool watched = std::ranges::any_of(
      it.patterns, [&](const std::string& pattern) { return matches_name_pattern(pattern, name); });
  require(watched && name != watcher.name(), what + ", whom it does not watch");
  const auto known = it.present.find(name);
  const bool there = known != it.present.end() && known->second == instance;
  const bool sure = complete_ && it.sure;
  if (presence->event == "left") {
    require(!sure || there, what + ", who was not there");
    require(!presence->reason.empty(), what + " for no reason");
    it.present.erase(name);
    return;
  }
  if (presence->event == "changed") return require(!sure || there, what + ", who was not there");
  const bool joined = presence->event == "joined";
  require(joined || presence->event == "present", what + ", which is no event");
  require(!sure || !joined || known == it.present.end(), what + ", who was there");
  it.present[name] = instance;
}

}  // namespace zpost::sim
