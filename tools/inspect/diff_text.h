// Differences of two captures, for people and for programs. Pure.
#pragma once

#include <string>
#include <vector>

#include "peer/cli/shared/palette.h"
#include "tools/inspect/capture_diff.h"

namespace zpost::inspect {

/// One row with a line feed: what, from → to, kind, id, the body or what changed.
[[nodiscard]] std::string difference_text(const Difference& difference,
                                          const cli::Palette& palette);

/// One object with a line feed.
[[nodiscard]] std::string difference_json(const Difference& difference);

/// A table of the streams with their latencies, and what there is in all.
[[nodiscard]] std::string overview_text(const std::vector<DiffOverview>& streams,
                                        DiffPairing pairing, const cli::Palette& palette);

/// An object for each stream and one for all, each with a line feed.
[[nodiscard]] std::string overview_json(const std::vector<DiffOverview>& streams,
                                        DiffPairing pairing, std::uint64_t first_missed,
                                        std::uint64_t second_missed);

}  // namespace zpost::inspect
