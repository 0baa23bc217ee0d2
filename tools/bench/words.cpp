#include "tools/bench/words.h"

#include <fmt/core.h>

namespace zpost::bench::text {

std::string short_number(double value) {
  if (value >= 9.995e6) return fmt::format("{:.1f}M", value / 1e6);
  if (value >= 999.5e3) return fmt::format("{:.2f}M", value / 1e6);
  if (value >= 9.995e3) return fmt::format("{:.0f}k", value / 1e3);
  if (value >= 999.5) return fmt::format("{:.1f}k", value / 1e3);
  return fmt::format("{:.0f}", value);
}

std::string short_size(std::size_t bytes) {
  if (bytes % kMiB == 0) return fmt::format("{} MiB", bytes / kMiB);
  if (bytes % kKiB == 0) return fmt::format("{} KiB", bytes / kKiB);
  return fmt::format("{} B", bytes);
}

std::string count_of(std::uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string losses(std::uint64_t lost, std::uint64_t duplicated, std::uint64_t reordered,
                   std::uint64_t corrupt) {
  std::string text;
  const auto add = [&](std::uint64_t count, std::string_view what) {
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, what);
  };
  add(lost, "lost");
  add(duplicated, "duplicated");
  add(reordered, "reordered");
  add(corrupt, "corrupt");
  return text.empty() ? "none" : text;
}

}  // namespace zpost::bench::text
