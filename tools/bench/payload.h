// The content of every benchmark payload: who sent it, which one it is, and a pattern that
// follows from both, so that a receiver can verify every byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace zpost::bench {

inline constexpr std::size_t kMinPayloadBytes = 16;
inline constexpr std::size_t kMaxPayloadBytes = std::size_t{4} * 1024 * 1024;

struct PayloadId {
  std::uint64_t sequence = 0;
  std::uint64_t pair = 0;

  bool operator==(const PayloadId&) const = default;
};

/// Fills all of `out`, which holds at least kMinPayloadBytes: sequence, pair, pattern.
void write_payload(PayloadId id, std::span<std::byte> out);

/// The id of a payload whose every byte is as write_payload() makes it; nothing otherwise.
std::optional<PayloadId> verify_payload(std::span<const std::byte> payload);

}  // namespace zpost::bench
