// Durations and sizes as people write them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace zpost::cli {

using std::chrono::milliseconds;

/// `500ms`, `10s`, `1.5s`, `2m`, `1h`; a bare number means seconds. At most ten years.
[[nodiscard]] std::optional<milliseconds> parse_duration(std::string_view text);

/// `512`, `64KiB`, `1MiB`, `2kB`, `1MB`. At most 1 TiB.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);

/// A whole number from 1 to 2^62.
[[nodiscard]] std::optional<std::uint64_t> parse_count(std::string_view text);

/// `500ms`, `10s`, `2m`: the largest unit that needs no fraction.
[[nodiscard]] std::string duration_text(milliseconds duration);

/// `46 B`, `1.5 KiB`, `12 MiB`.
[[nodiscard]] std::string size_text(std::uint64_t bytes);

/// `1,234,567`.
[[nodiscard]] std::string count_text(std::uint64_t count);

/// `1 envelope`, `1,234 envelopes`, `2 replies`.
[[nodiscard]] std::string counted(std::uint64_t count, std::string_view noun);

}  // namespace zpost::cli
