// Numbers as people read them, for results as text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace zpost::bench::text {

inline constexpr std::size_t kKiB = 1024;
inline constexpr std::size_t kMiB = kKiB * kKiB;

/// "1.78M": three digits or more are enough for a rate.
std::string short_number(double value);

/// "64 B", "1 KiB".
std::string short_size(std::size_t bytes);

/// "1 pair", "4 pairs".
std::string count_of(std::uint64_t count, std::string_view noun);

/// Names what went wrong, so that nothing wrong is easy to see: "none", "2 lost, 1 corrupt".
std::string losses(std::uint64_t lost, std::uint64_t duplicated, std::uint64_t reordered,
                   std::uint64_t corrupt);

}  // namespace zpost::bench::text
