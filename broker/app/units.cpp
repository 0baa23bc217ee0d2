#include "broker/app/units.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>
#include <span>

namespace zpost::app {

namespace {

struct Scale {
  std::string_view name;
  std::uint64_t factor;
};

// Largest first within what is printed; the decimal ones are only read.
constexpr std::array kSizes{Scale{"TiB", std::uint64_t{1} << 40},
                            Scale{"GiB", std::uint64_t{1} << 30},
                            Scale{"MiB", std::uint64_t{1} << 20},
                            Scale{"KiB", std::uint64_t{1} << 10},
                            Scale{"B", 1},
                            Scale{"TB", 1'000'000'000'000},
                            Scale{"GB", 1'000'000'000},
                            Scale{"MB", 1'000'000},
                            Scale{"kB", 1'000},
                            Scale{"KB", 1'000},
                            Scale{"", 1}};
constexpr std::size_t kPrintedSizes = 5;

constexpr std::array kDurations{
    Scale{"h", 3'600'000'000'000}, Scale{"m", 60'000'000'000}, Scale{"s", 1'000'000'000},
    Scale{"ms", 1'000'000},        Scale{"us", 1'000},         Scale{"ns", 1}};

struct Quantity {
  std::uint64_t number = 0;
  std::string_view unit;
};

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// A whole number and what follows it. False: there is none, or it does not fit.
bool split(std::string_view text, Quantity& quantity) {
  text = trim(text);
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), quantity.number);
  if (error != std::errc{}) return false;
  quantity.unit = trim(text.substr(static_cast<std::size_t>(end - text.data())));
  return true;
}

bool convert(std::string_view text, std::span<const Scale> units, std::uint64_t limit,
             std::uint64_t& value) {
  Quantity quantity;
  if (!split(text, quantity)) return false;
  for (const Scale& unit : units) {
    if (unit.name != quantity.unit) continue;
    if (quantity.number > limit / unit.factor) return false;
    value = quantity.number * unit.factor;
    return true;
  }
  return false;
}

std::string format(std::uint64_t value, std::span<const Scale> units) {
  std::size_t i = 0;
  while (i + 1 < units.size() && (value == 0 || value % units[i].factor != 0)) ++i;
  return fmt::format("{}{}", value / units[i].factor, units[i].name);
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t bytes = 0;
  if (convert(text, kSizes, std::numeric_limits<std::uint64_t>::max(), bytes)) return bytes;
  return Error{Outcome::kMalformed, "a size is a whole number with a unit, such as 64KiB or 1GiB"};
}

Result<std::int64_t> parse_duration(std::string_view text) {
  std::uint64_t ns = 0;
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (convert(text, kDurations, kMost, ns)) return static_cast<std::int64_t>(ns);
  return Error{Outcome::kMalformed,
               "a duration is a whole number with a unit, such as 500ms, 30s or 5m"};
}

Result<std::uint64_t> parse_count(std::string_view text) {
  Quantity quantity;
  if (split(text, quantity) && quantity.unit.empty()) return quantity.number;
  return Error{Outcome::kMalformed, "a whole number is needed"};
}

std::string format_size(std::uint64_t bytes) {
  return format(bytes, std::span(kSizes).first(kPrintedSizes));
}

std::string format_duration(std::int64_t ns) {
  if (ns == 0) return "0s";
  return format(static_cast<std::uint64_t>(ns), kDurations);
}

}  // namespace zpost::app
