#include "tests/sim/shrink.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <utility>

namespace zpost::sim {

Places all_places(std::size_t count) {
  Places places(count);
  std::iota(places.begin(), places.end(), std::size_t{0});
  return places;
}

Places shrink(Places kept, const std::function<bool(const Places&)>& fails, double seconds) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  std::size_t chunk = std::max<std::size_t>(kept.size() / 2, 1);
  bool helped = false;
  while (Clock::now() < end) {
    helped = false;
    for (std::size_t at = 0; at < kept.size() && Clock::now() < end;) {
      Places fewer = kept;
      const auto first = fewer.begin() + static_cast<std::ptrdiff_t>(at);
      const std::size_t count = std::min(chunk, fewer.size() - at);
      fewer.erase(first, first + static_cast<std::ptrdiff_t>(count));
      if (fails(fewer)) {
        kept = std::move(fewer);
        helped = true;
      } else {
        at += chunk;
      }
    }
    if (chunk == 1 && !helped) break;
    if (chunk > 1) chunk /= 2;
  }
  return kept;
}

}  // namespace zpost::sim
