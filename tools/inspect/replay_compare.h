// What became of a replayed envelope, compared with what became of it then. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/inspect/body_match.h"
#include "tools/inspect/replay_cast.h"
#include "tools/inspect/replay_plan.h"

namespace zpost::inspect {

struct ReplayedReply {
  ReplayBody body = {};
  bool rejected = false;
};

/// What became of an envelope in the replay.
struct ReplayedEnd {
  /// kDelivered of a request or call: it was answered, perhaps by a no. kNone: nothing was heard.
  Outcome outcome = Outcome::kNone;
  std::string text = {};  // The broker's or the recipient's word on it.
  std::vector<ReplayedReply> replies = {};
  std::optional<std::uint64_t> queues = std::nullopt;  // Of a publish: that took it.
  bool sender_left = false;                            // Before anything was heard.
};

struct ReplayDifference {
  std::string what;  // "outcome", "replies", "content type", `body.count`, …
  std::string recorded;
  std::string now;
};

/// Of an envelope at most so many are told.
inline constexpr std::size_t kMaxReplayDifferences = 8;

struct Comparison {
  std::vector<ReplayDifference> differences = {};
  /// Why it, or a part of it, could not be compared; empty: it could.
  std::string not_compared = {};
};

/// `part`: of whom it was sent to; kReal of topics.
[[nodiscard]] Comparison compare(const ReplayItem& item, const ReplayedEnd& now, Part part,
                                 const BodyRules& rules);

}  // namespace zpost::inspect
