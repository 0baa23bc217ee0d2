// Who takes part in a replay: who is played, who is at the broker itself, who is missing. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tools/inspect/replay_names.h"
#include "tools/inspect/replay_plan.h"

namespace zpost::inspect {

/// What somebody, or a service, of the recording is in the replay.
enum class Part : std::uint8_t {
  kPlayed,   // Sends what it sent then.
  kStoodIn,  // Takes what it is sent, and answers as it answered then.
  kReal,     // At the broker, and not of this program.
  kAbsent,   // Nobody: what it is sent fails.
};
/// "played", "stood in for", "real", "absent".
[[nodiscard]] std::string_view part_name(Part part);

struct Role {
  std::string recorded = {};  // A service with its mark.
  std::string name = {};      // Under which it is, or would be, at the broker.
  Part part = Part::kAbsent;
  std::uint64_t sends = 0;                // Envelopes it sends in this replay.
  std::uint64_t is_sent = 0;              // Envelopes sent to it.
  std::vector<std::string> workers = {};  // Of a service that is stood in for: roles, as recorded.
};

/// Who is at the broker now.
struct LivePeers {
  std::set<std::string, std::less<>> peers = {};
  std::set<std::string, std::less<>> services = {};  // That somebody offers.
};

struct CastRules {
  NameRules renames = {};  // Of those that are played and stood in for.
  Redirections redirections = {};
  bool stand_in = false;
};

struct Cast {
  /// By their recorded names. Those that are played or stood in for are peers of this program.
  std::map<std::string, Role, std::less<>> roles = {};
  /// Where each item of the plan goes.
  std::vector<std::string> targets = {};
  /// Which item is sent by somebody who is played.
  std::vector<bool> is_sent = {};

  // Each is a connection, a thread and some descriptors.
  static constexpr std::size_t kMaxPlayers = 256;

  /// How many of them are.
  [[nodiscard]] std::uint64_t sent_count() const;

  /// The role of what an item is sent to; null for topics.
  [[nodiscard]] const Role* recipient_of(const ReplayItem& item) const;
};

/// Takes out of `plan` what its senders, being real, send themselves. Error: names that cannot be,
/// or are held by others; more players than there may be; nothing is left to be sent.
[[nodiscard]] Result<Cast> make_cast(ReplayPlan& plan, const LivePeers& live,
                                     const CastRules& rules);

}  // namespace zpost::inspect
