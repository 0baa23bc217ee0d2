// Limits that belong to the format. SPEC.md, section 10. Limits a broker may choose come with its
// welcome.
#pragma once

#include <cstddef>
#include <cstdint>

namespace zpost {

inline constexpr std::uint32_t kProtocolVersion = 1;
/// A topic or a pattern, and its segments.
inline constexpr std::size_t kMaxTopicBytes = 255;
inline constexpr std::size_t kMaxTopicSegments = 16;
inline constexpr std::size_t kMaxMetaEntries = 32;
inline constexpr std::size_t kMaxExtraElements = 10;
inline constexpr std::size_t kMaxNesting = 8;
inline constexpr std::size_t kMaxNestedObjects = 256;
inline constexpr std::size_t kMaxContentTypeBytes = 128;
inline constexpr std::size_t kMaxTraceBytes = 256;
inline constexpr std::size_t kMaxPingBytes = 64;
inline constexpr std::size_t kMaxSoftwareBytes = 128;
inline constexpr std::size_t kMaxMetadataBytes = 1024;
inline constexpr std::size_t kMaxWillBytes = 4096;

/// The header of an envelope never needs more: array tag, kind, a topic and a name, id, empty meta,
/// body tag.
inline constexpr std::size_t kMaxPlainHeaderBytes =
    1 + 2 + (2 + kMaxTopicBytes) + (2 + 64) + 9 + 1 + 5;

/// What every envelope costs beyond its encoded length: the sender's and the broker's bookkeeping.
/// SPEC.md, section 7, "Cost".
inline constexpr std::uint64_t kEnvelopeOverhead = 64;

/// The cost of a payload envelope of `encoded_bytes`.
[[nodiscard]] constexpr std::uint64_t cost_of(std::uint64_t encoded_bytes) {
  return encoded_bytes + kEnvelopeOverhead;
}

}  // namespace zpost
