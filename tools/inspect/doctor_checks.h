// What the doctor concludes from what it saw. Pure: no sockets, no clock.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "peer/cli/shared/palette.h"
#include "tools/inspect/broker_stats.h"
#include "zpost/peer/peer.h"

namespace zpost::inspect {

enum class Health { kOk, kWarn, kFail };

struct Check {
  std::string what;  // One word.
  Health state = Health::kOk;
  std::string text;
  std::string advice;  // Lines; empty: nothing to do.
};

/// Whoever takes nothing for so long is not only between two envelopes.
inline constexpr std::uint64_t kStandstillNs = 2'000'000'000;

/// How many descriptors this program may have.
[[nodiscard]] Check descriptor_check(std::uint64_t limit);

/// The broker's clock against ours, ns since 1970.
[[nodiscard]] Check clock_check(std::uint64_t broker_ns, std::uint64_t our_ns);

/// How much of its limits the broker uses: a check for each it is near or at. Empty: it does not
/// say.
[[nodiscard]] std::vector<Check> limit_checks(const BrokerStats& stats);

/// Who takes nothing though something waits for it, or falls behind, and since when; who is away,
/// who is expected back. `now_ns`: by the broker's clock, as all times of who.
[[nodiscard]] std::vector<Check> peer_checks(const std::vector<peer::Peer::PeerInfo>& peers,
                                             std::uint64_t now_ns);

/// Whether somebody could come under `name`.
[[nodiscard]] Check name_check(std::string_view name,
                               const std::vector<peer::Peer::PeerInfo>& peers,
                               std::uint64_t now_ns);

/// What to do about a refusal; empty: its text says it.
[[nodiscard]] std::string refusal_advice(Outcome code);

[[nodiscard]] std::string check_text(const Check& check, const cli::Palette& palette);
[[nodiscard]] std::string check_json(const Check& check);

}  // namespace zpost::inspect
