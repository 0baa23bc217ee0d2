// Sizes and durations as people write them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "zpost/protocol/result.h"

namespace zpost::app {

/// Bytes: `512`, `64KiB`, `1 MiB`, `2GB`. Units: B, KiB, MiB, GiB, TiB, kB, MB, GB, TB. Error: what
/// a size looks like.
[[nodiscard]] Result<std::uint64_t> parse_size(std::string_view text);

/// Nanoseconds: `500ms`, `30 s`, `5m`. Units: ns, us, ms, s, m, h; one is required. Error: what a
/// duration looks like.
[[nodiscard]] Result<std::int64_t> parse_duration(std::string_view text);

/// A whole number. Error: what one looks like.
[[nodiscard]] Result<std::uint64_t> parse_count(std::string_view text);

/// The inverses, in the largest unit that needs no fraction.
[[nodiscard]] std::string format_size(std::uint64_t bytes);
[[nodiscard]] std::string format_duration(std::int64_t ns);

}  // namespace zpost::app
