// What zpost aims at, as a ratio to NATS on the same work.
#pragma once

#include <optional>
#include <string_view>

namespace zpost::bench {

/// At least so many times the rate, or for round trips at most so many times the p50.
struct Aim {
  double ratio = 0;
  bool lower_is_better = false;

  [[nodiscard]] bool met_by(double reached) const {
    return lower_is_better ? reached <= ratio : reached >= ratio;
  }
};

/// The aim of `system` in the work called `work`; nothing where there is none, or ratios are to
/// another system than NATS.
std::optional<Aim> aim_of(std::string_view work, std::string_view system,
                          std::string_view reference);

}  // namespace zpost::bench
