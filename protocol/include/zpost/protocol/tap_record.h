// Records of the tap: fixed layout, little endian. SPEC.md, section 12.
#pragma once

#include <bit>
#include <cstdint>

namespace zpost {

enum class TapEvent : std::uint8_t {
  kReceived = 1,
  kForwarded = 2,
  kHeld = 3,
  kFailed = 4,
  kDelivered = 5,
  kSession = 6,
  kName = 7,
  kMissed = 8,
  kAssigned = 9,
  kAnswered = 10,
  kEnd = 11,
};

/// `code` of a kHeld record.
enum class HeldWhy : std::uint16_t {
  kWindowFull = 1,
  kAway = 2,
  kNotThereYet = 3,
};

/// `code` of a kSession record.
enum class SessionChange : std::uint16_t {
  kJoined = 1,
  kResumed = 2,
  kAway = 3,
  kOver = 4,
  kRefused = 5,
};

inline constexpr const char* kTapContentType = "application/x-zpost-tap";
/// Of the answers to a recall.
inline constexpr const char* kRecallContentType = "application/x-zpost-recall";

/// As on the wire (little-endian hosts only, which the build checks). `extra` bytes follow, padded
/// to a multiple of 8.
struct TapRecord {
  std::uint64_t sequence = 0;
  std::uint64_t time_ns = 0;
  std::uint64_t first_id = 0;
  std::uint64_t last_id = 0;
  std::uint32_t count = 0;
  std::uint32_t bytes = 0;
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  TapEvent event = TapEvent::kReceived;
  std::uint8_t kind = 0;
  std::uint16_t code = 0;
  std::uint32_t extra = 0;
  std::uint64_t missed = 0;
};

static_assert(sizeof(TapRecord) == 64);
static_assert(std::endian::native == std::endian::little);

}  // namespace zpost
