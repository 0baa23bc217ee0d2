// Makes a history that fails shorter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/world/full_world.h"

namespace zpost::sim {

/// What went wrong, and in which words a shorter history must say the same.
struct Broken {
  std::string rule;
  std::string text;
};

/// Plays the decisions `kept` (by their places) of the history `seed`; what broke, if anything did.
[[nodiscard]] std::optional<Broken> play(std::uint64_t seed, const std::vector<Decision>& decisions,
                                         const std::vector<std::size_t>& kept,
                                         const FullWorld::Tell& tell, std::uint64_t* letters);

/// The places of a few decisions that break `rule` as well: chunks are left out, then single ones,
/// as long as that helps and `seconds` last.
[[nodiscard]] std::vector<std::size_t> shrink(std::uint64_t seed,
                                              const std::vector<Decision>& decisions,
                                              std::vector<std::size_t> kept,
                                              const std::string& rule, double seconds);

}  // namespace zpost::sim
