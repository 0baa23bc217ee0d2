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
  kDropped = 12,
  kFlow = 13,
  kAsked = 14,
};

/// `code` of a kHeld record.
enum class HeldWhy : std::uint16_t {
  kWindowFull = 1,
  kAway = 2,
  kNotThereYet = 3,
  kPipeFull = 4,
  kNoDemand = 5,
  kNoFreeWorker = 6,
  kWorkerGone = 7,
};

/// `code` of a kFlow record: a sender must wait, or need not any more.
enum class FlowChange : std::uint16_t {
  kStalled = 1,
  kGoesOn = 2,
};

/// `code` of a kAsked record: what the broker itself was asked.
enum class AdminOp : std::uint16_t {
  kOther = 0,
  kWho = 1,
  kStats = 2,
  kTap = 3,
  kUntap = 4,
  kRecall = 5,
  kRoute = 6,
};

/// `code` of a kSession record.
enum class SessionChange : std::uint16_t {
  kJoined = 1,
  kResumed = 2,
  kAway = 3,
  kOver = 4,
  kRefused = 5,
  kChanged = 6,  // Its metadata.
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

/// How far the ids of a run are apart; 0: it is one envelope.
[[nodiscard]] constexpr std::uint64_t id_step(const TapRecord& record) {
  return record.count > 1 ? (record.last_id - record.first_id) / (record.count - 1) : 0;
}

/// Whether a run has the id: its ids are in equal steps.
[[nodiscard]] constexpr bool has_id(const TapRecord& record, std::uint64_t id) {
  if (id < record.first_id || id > record.last_id) return false;
  const std::uint64_t step = id_step(record);
  return step == 0 ? id == record.first_id : (id - record.first_id) % step == 0;
}

/// Whether a run, or an envelope, goes on with `next` in the same steps.
[[nodiscard]] constexpr bool goes_on_with(const TapRecord& run, const TapRecord& next) {
  if (next.first_id <= run.last_id) return false;
  const std::uint64_t gap = next.first_id - run.last_id;
  return (run.count <= 1 || id_step(run) == gap) && (next.count <= 1 || id_step(next) == gap);
}

static_assert(sizeof(TapRecord) == 64);
static_assert(std::endian::native == std::endian::little);

}  // namespace zpost
