// What workers print: JSON, one object a line.
#pragma once

#include <cstdio>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string_view>

#include "zpost/peer/peer.h"

namespace zpost::test {

using nlohmann::json;

/// Thread: any. Written out at once, so that a kill -9 leaves what was printed.
inline void print(const json& line) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  std::puts(line.dump().c_str());
  std::fflush(stdout);
}

inline std::string_view name_of(peer::StateChange::State state) {
  using State = peer::StateChange::State;
  switch (state) {
    case State::kConnected:
      return "connected";
    case State::kLost:
      return "lost";
    case State::kRefused:
      return "refused";
    case State::kDraining:
      return "draining";
    case State::kClosed:
      return "closed";
  }
  return "";
}

inline void print_state(const peer::StateChange& change) {
  json line = {{"event", name_of(change.state)}};
  if (change.state == peer::StateChange::State::kConnected) {
    line["resumed"] = change.resumed;
    line["new_run"] = change.new_run;
    line["taken_but_unacknowledged"] = change.taken_but_unacknowledged;
  }
  if (change.code != Outcome::kNone) line["code"] = outcome_name(change.code);
  if (change.final) line["final"] = true;
  print(line);
}

}  // namespace zpost::test
