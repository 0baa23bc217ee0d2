#include "peer/cli/shared/near_miss.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <limits>
#include <numeric>

namespace zpost::cli {
namespace {

constexpr std::size_t kFar = std::numeric_limits<std::size_t>::max();
constexpr std::size_t kLongestWord = 64;  // What is longer was no slip.

/// Changes of one character, swaps of two neighbours among them, that make `a` into `b`.
std::size_t changes(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::vector<std::size_t> next(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    next[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t other = a[i - 1] == b[j - 1] ? 0 : 1;
      next[j] = std::min({row[j] + 1, next[j - 1] + 1, row[j - 1] + other});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) next[j] = std::min(next[j], before[j - 2] + 1);
    }
    before.swap(row);
    row.swap(next);
  }
  return row[b.size()];
}

std::vector<std::string_view> parts_of(std::string_view word) {
  std::vector<std::string_view> parts;
  while (!word.empty()) {
    const std::string_view part = word.substr(0, word.find('-'));
    word.remove_prefix(std::min(word.size(), part.size() + 1));
    if (!part.empty()) parts.push_back(part);
  }
  std::ranges::sort(parts);
  return parts;
}

/// Whether `word` has some or all of the parts of `known`, in any order.
bool is_made_of(std::string_view word, std::string_view known) {
  const std::vector<std::string_view> mine = parts_of(word);
  return !mine.empty() && std::ranges::includes(parts_of(known), mine);
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

/// How far apart they are; kFar: not near.
std::size_t distance(std::string_view word, std::string_view known) {
  constexpr std::size_t kLettersPerSlip = 3;
  const auto letters = static_cast<std::size_t>(
      std::ranges::count_if(word, [](unsigned char c) { return std::isalnum(c) != 0; }));
  const std::size_t slips = changes(word, known);
  if (slips <= letters / kLettersPerSlip) return slips;
  const bool is_cut = letters > 1 && known.starts_with(word);
  return is_cut || is_made_of(word, known) ? kLongestWord + slips : kFar;
}

}  // namespace

std::optional<std::string> near_miss(std::string_view word, const std::vector<std::string>& known) {
  if (word.size() > kLongestWord) return std::nullopt;
  const std::string wanted = lower(word);
  std::optional<std::string> nearest;
  std::size_t least = kFar;
  for (const std::string& each : known) {
    const std::size_t away = distance(wanted, lower(each));
    if (away >= least) continue;
    least = away;
    nearest = each;
  }
  return nearest;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  const std::optional<std::string> near = near_miss(word, known);
  return near ? fmt::format("; did you mean {}?", *near) : "";
}

}  // namespace zpost::cli
