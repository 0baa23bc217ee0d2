#include "tests/sim/world/shrink.h"

#include <algorithm>
#include <cctype>
#include <chrono>

#include "tests/broker/core/support/world.h"
#include "tests/sim/world/rules.h"

namespace zpost::sim {

namespace {

/// What the shell's checks say, without the numbers in it.
std::string rule_of(std::string_view what) {
  std::string rule;
  for (const char c : what) {
    if (std::isdigit(static_cast<unsigned char>(c)) == 0) rule += c;
  }
  return rule;
}

}  // namespace

std::optional<Broken> play(std::uint64_t seed, const std::vector<Decision>& decisions,
                           const std::vector<std::size_t>& kept, const FullWorld::Tell& tell,
                           std::uint64_t* letters) {
  FullWorld world(seed, tell);
  std::optional<Broken> broken;
  try {
    for (const std::size_t place : kept) world.step(decisions[place]);
    world.heal();
  } catch (const Violation& violation) {
    broken = Broken{violation.rule(), violation.what()};
  } catch (const core::test::Broken& other) {
    broken = Broken{rule_of(other.what()), other.what()};
  }
  if (letters != nullptr) *letters += world.letters();
  return broken;
}

std::vector<std::size_t> shrink(std::uint64_t seed, const std::vector<Decision>& decisions,
                                std::vector<std::size_t> kept, const std::string& rule,
                                double seconds) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  const auto fails = [&](const std::vector<std::size_t>& some) {
    const auto broken = play(seed, decisions, some, {}, nullptr);
    return broken && broken->rule == rule;
  };
  std::size_t chunk = std::max<std::size_t>(kept.size() / 2, 1);
  bool helped = false;
  while (Clock::now() < end) {
    helped = false;
    for (std::size_t at = 0; at < kept.size() && Clock::now() < end;) {
      std::vector<std::size_t> fewer = kept;
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
