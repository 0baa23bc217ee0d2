// Small decisions of a session's life: instance, backoff, what a refusal means.
//
// Pure but for random_hex().
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "zpost/peer/options.h"
#include "zpost/protocol/control.h"

namespace zpost::peer {

/// `digits` random lowercase hexadecimal digits from the system.
[[nodiscard]] std::string random_hex(std::size_t digits);

/// `anon-` and eight random digits.
[[nodiscard]] std::string fresh_name();

/// Whether a refusal or goodbye ends the library's attempts. `first`: never welcomed so far.
[[nodiscard]] bool is_final(const Refusal& refusal, bool first, bool wait_for_name);

/// The pauses between attempts to connect: doubled from first to last, each shortened by up to a
/// half at random so that peers do not come back in step.
class Backoff {
 public:
  Backoff(std::chrono::milliseconds first, std::chrono::milliseconds last, std::uint64_t seed)
      : first_(std::min(first, kLongest)),
        last_(std::min(last, kLongest)),
        next_(first_),
        seed_(seed) {}

  [[nodiscard]] std::chrono::microseconds next();

  void reset() { next_ = first_; }

 private:
  static constexpr std::chrono::milliseconds kLongest = std::chrono::hours(24);

  std::chrono::milliseconds first_;
  std::chrono::milliseconds last_;
  std::chrono::milliseconds next_;
  std::uint64_t seed_;
};

}  // namespace zpost::peer
