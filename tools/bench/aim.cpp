#include "tools/bench/aim.h"

#include <algorithm>
#include <array>

namespace zpost::bench {
namespace {

constexpr std::string_view kSpans = "zpost-spans";
constexpr std::string_view kSingles = "zpost-singles";

struct Entry {
  std::string_view work;
  std::string_view system;
  Aim aim;
};

constexpr std::array kAims = {
    Entry{"64B-1p", kSpans, {5}},
    Entry{"64B-4p", kSpans, {4}},
    Entry{"64B-1p", kSingles, {2.5}},
    Entry{"1KiB-1p", kSpans, {2}},
    Entry{"1KiB-1p", kSingles, {2}},
    Entry{"1KiB-4p", kSpans, {1.6}},
    Entry{"1KiB-4p", kSingles, {1.6}},
    Entry{"64KiB-1p", kSpans, {1.8}},
    Entry{"64KiB-1p", kSingles, {1.8}},
    Entry{"rtt-64B", kSingles, {.ratio = 0.7, .lower_is_better = true}},
    Entry{"64B-fan100", kSingles, {2}},
    Entry{"1KiB-fan100", kSingles, {1.3}},
    Entry{"64B-topics4", kSingles, {3}},
    Entry{"64B-calls8", kSingles, {2}},
};

}  // namespace

std::optional<Aim> aim_of(std::string_view work, std::string_view system,
                          std::string_view reference) {
  if (reference != "nats") return std::nullopt;
  const auto* const found = std::ranges::find_if(
      kAims, [&](const Entry& entry) { return entry.work == work && entry.system == system; });
  if (found == kAims.end()) return std::nullopt;
  return found->aim;
}

}  // namespace zpost::bench
