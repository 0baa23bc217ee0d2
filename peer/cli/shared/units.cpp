#include "peer/cli/shared/units.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <span>

namespace zpost::cli {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

constexpr std::array kDurations{Unit{"ms", 1},     Unit{"s", 1000},     Unit{"", 1000},
                                Unit{"m", 60'000}, Unit{"min", 60'000}, Unit{"h", 3'600'000}};
constexpr std::array kSizes{Unit{"", 1},
                            Unit{"B", 1},
                            Unit{"KiB", 1024},
                            Unit{"MiB", 1024.0 * 1024},
                            Unit{"GiB", 1024.0 * 1024 * 1024},
                            Unit{"kB", 1e3},
                            Unit{"KB", 1e3},
                            Unit{"MB", 1e6},
                            Unit{"GB", 1e9}};
constexpr double kLongestDuration = 10.0 * 366 * 86'400'000;
constexpr double kLargest = 1024.0 * 1024 * 1024 * 1024;

std::optional<double> parse(std::string_view text, std::span<const Unit> units, double most) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (parsed.ec != std::errc{} || !(number >= 0)) return std::nullopt;
  std::string_view name(parsed.ptr, static_cast<std::size_t>(end - parsed.ptr));
  while (name.starts_with(' ')) name.remove_prefix(1);
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    if (number * unit.factor > most) return std::nullopt;
    return number * unit.factor;
  }
  return std::nullopt;
}

}  // namespace

std::optional<milliseconds> parse_duration(std::string_view text) {
  const std::optional<double> value = parse(text, kDurations, kLongestDuration);
  if (!value) return std::nullopt;
  return milliseconds(static_cast<milliseconds::rep>(*value));
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  const std::optional<double> value = parse(text, kSizes, kLargest);
  if (!value) return std::nullopt;
  return static_cast<std::uint64_t>(*value);
}

std::optional<std::uint64_t> parse_count(std::string_view text) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 62;
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec != std::errc{} || parsed.ptr != end || number == 0 || number > kMost) {
    return std::nullopt;
  }
  return number;
}

std::string duration_text(milliseconds duration) {
  const auto count = duration.count();
  if (count == 0) return "0s";
  if (count % 3'600'000 == 0) return fmt::format("{}h", count / 3'600'000);
  if (count % 60'000 == 0) return fmt::format("{}m", count / 60'000);
  if (count % 1000 == 0) return fmt::format("{}s", count / 1000);
  return fmt::format("{}ms", count);
}

std::string size_text(std::uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  constexpr std::array kNames{"KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes) / 1024;
  std::size_t i = 0;
  while (value >= 1024 && i + 1 < kNames.size()) {
    value /= 1024;
    ++i;
  }
  return value < 10 ? fmt::format("{:.1f} {}", value, kNames[i])
                    : fmt::format("{:.0f} {}", value, kNames[i]);
}

std::string count_text(std::uint64_t count) {
  std::string text = std::to_string(count);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, 1, ',');
  return text;
}

std::string counted(std::uint64_t count, std::string_view noun) {
  if (count == 1) return fmt::format("1 {}", noun);
  std::string_view end = "s";
  if (noun.ends_with("sh") || noun.ends_with("ch")) end = "es";
  const bool changes = noun.size() > 1 && noun.ends_with('y') &&
                       std::string_view("aeiou").find(noun[noun.size() - 2]) == std::string::npos;
  if (changes) {
    noun.remove_suffix(1);
    end = "ies";
  }
  return fmt::format("{} {}{}", count_text(count), noun, end);
}

}  // namespace zpost::cli
