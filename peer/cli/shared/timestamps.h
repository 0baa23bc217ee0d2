// Times as people and programs read them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace zpost::cli {

/// Now, in ns since 1970.
[[nodiscard]] std::uint64_t wall_clock_ns();

/// `12:31:04` in local time; with the date in front unless it is the day of `now_ns`.
[[nodiscard]] std::string local_time(std::uint64_t ns, std::uint64_t now_ns);

/// `12:31:04.123` in local time.
[[nodiscard]] std::string local_time_ms(std::uint64_t ns);

/// `12:31:04.123456` in local time.
[[nodiscard]] std::string local_time_us(std::uint64_t ns);
/// `2026-01-01T00:00:00.000000000Z`.
[[nodiscard]] std::string utc_time(std::uint64_t ns);

/// The inverse. Nothing: `text` is no such time, or before 1970.
[[nodiscard]] std::optional<std::uint64_t> ns_of_utc_time(std::string_view text);

/// How long ago: `now`, `5 s`, `3 min`, `2 h`, `4 d`.
[[nodiscard]] std::string age(std::uint64_t ns, std::uint64_t now_ns);

}  // namespace zpost::cli
