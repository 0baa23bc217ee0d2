// Asks the recorder for all that belongs to the life of an envelope.
#pragma once

#include <optional>

#include "tools/inspect/look_back.h"
#include "tools/inspect/story.h"

namespace zpost::inspect {

/// Thread: one. REQUIRES: as look_back(). The peer must outlive it.
class StorySearch {
 public:
  StorySearch(peer::Peer& peer, std::chrono::milliseconds patience)
      : peer_(peer), patience_(patience) {}

  /// Adds what happened to the sessions of its taker meanwhile, and its replies; a reply becomes
  /// the request it answers, if the recorder has that. Then says what there is to say of it now.
  /// Errors: as look_back().
  [[nodiscard]] peer::Answer<Verdict> complete(Story& story);

 private:
  using Fault = std::optional<peer::Failure>;  // Nothing: none.

  [[nodiscard]] Fault add_what_follows(Story& story);
  /// Makes a reply the request before it, if that is known.
  [[nodiscard]] Fault turn_to_question(Story& story);
  [[nodiscard]] std::optional<peer::Peer::PeerInfo> taker_of(const Story& story);

  peer::Peer& peer_;
  const std::chrono::milliseconds patience_;
};

}  // namespace zpost::inspect
