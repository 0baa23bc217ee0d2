// Differences of two captures, for people and for programs. Pure.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "peer/cli/shared/palette.h"
#include "tools/inspect/capture_diff.h"

namespace zpost::inspect {

/// How wide `from → to` is in all rows: as the longest wants, within limits.
[[nodiscard]] std::size_t way_columns(std::span<const DiffSide* const> sides);

/// One row with a line feed: what, from → to in `columns`, kind, id, the body or what changed.
[[nodiscard]] std::string difference_text(const Difference& difference, std::size_t columns,
                                          const cli::Palette& palette);

/// One object with a line feed.
[[nodiscard]] std::string difference_json(const Difference& difference);

/// A table of the streams with their latencies, and what there is in all; `columns` as above.
[[nodiscard]] std::string overview_text(const std::vector<DiffOverview>& streams,
                                        DiffPairing pairing, std::size_t columns,
                                        const cli::Palette& palette);

/// An object for each stream and one for all, each with a line feed.
[[nodiscard]] std::string overview_json(const std::vector<DiffOverview>& streams,
                                        DiffPairing pairing, std::uint64_t first_missed,
                                        std::uint64_t second_missed);

}  // namespace zpost::inspect
