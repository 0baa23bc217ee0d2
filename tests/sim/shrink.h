// Makes a history that fails shorter.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace zpost::sim {

/// Which decisions of a history take place, in order.
using Places = std::vector<std::size_t>;

[[nodiscard]] Places all_places(std::size_t count);

/// A few of `kept` for which `fails` holds as it does for all of them: chunks are left out, then
/// single ones, as long as that helps and `seconds` last. `fails` must say the same of equal
/// places.
[[nodiscard]] Places shrink(Places kept, const std::function<bool(const Places&)>& fails,
                            double seconds);

}  // namespace zpost::sim
