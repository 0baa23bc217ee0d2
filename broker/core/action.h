// What the core asks its shells to do, and the numbers it uses for what they own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "broker/core/time.h"
#include "zpost/protocol/envelope.h"
#include "zpost/protocol/tap_record.h"

namespace zpost::core {

/// A connection's slot in the net shell: one ZeroMQ identity on one descriptor.
using ConnectionId = std::uint32_t;
/// A session's slot in the core.
using SessionId = std::uint32_t;
inline constexpr std::uint32_t kNone = UINT32_MAX;

/// Where an action's bytes stand.
enum class Source : std::uint8_t {
  kFrame,  // In the frame given to this step.
  kArena,  // In Actions::arena.
};

/// The net shell keeps, per session, a queue of *bundles* (frames to be) in this order:
/// handed to libzmq and not yet released | waiting | the last one possibly still open.
/// and beside it a *topic queue* of publishes that wait, which kEnqueue takes from.
/// The core decides about every bundle; the shell owns the bytes.
enum class Op : std::uint8_t {
  kOpen,        // Session `session` begins: an empty queue, on connection `connection`.
  kBind,        // Session `session` goes on over `connection`; the old one's frames are ignored.
  kUnbind,      // The session has no connection for now; its queue stays.
  kAppend,      // Bytes [offset, offset + length) of `source` go to the session's last bundle, or
                // the last one of its topic queue if `topics`; a new one is begun first if `fresh`.
                // `shared`: other topic queues get them in the same step.
  kWhole,       // The frame of this step becomes the newest bundle there, by reference.
  kTransmit,    // Hand the oldest waiting bundle to libzmq; an open one is closed.
  kEnqueue,     // The oldest bundle of the session's topic queue becomes the newest waiting one; an
                // open one is closed.
  kDropOldest,  // Forget the `count` oldest bundles of the topic queue.
  kRelease,     // Forget the `count` oldest bundles, all handed over.
  kRewind,   // All bundles handed over wait again; the oldest loses its first `count` program-lane
             // envelopes.
  kControl,  // Send [offset, offset + length) of `source` to `connection` as a frame at once.
             // `session` is told about in Executed if it would block (kNone: forget it).
  kDrop,     // The session is over: forget its queue.
  kExpel,    // Shut the descriptor of `connection` down after a grace of a second; until then its
             // frames are ignored.
  kTap,      // The session asks for the tap: [offset, length) of the arena is the request's body.
  kRecall,   // The session asks for a recall, in the same way.
  kUntap,    // The session's tap and recall end.
};

struct Action {
  Op op = Op::kControl;
  Source source = Source::kArena;
  bool fresh = false;
  bool topics = false;
  bool shared = false;
  SessionId session = kNone;
  ConnectionId connection = kNone;
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
  std::uint32_t count = 0;
};

/// A tap record whose names are the core's numbers, and where its envelopes stand in the frame.
struct TapNote {
  TapRecord record;  // `sequence`, `extra` and `missed` are the tap's to fill.
  std::uint32_t offset = 0;
  std::uint32_t length = 0;  // 0: there are no bytes to show.
};

/// How much the core notes.
enum class TapDetail : std::uint8_t {
  kNothing,
  kRuns,    // Neighbouring publishes to the same subscribers are one, whatever their topics.
  kTopics,  // Each topic by itself.
};

/// Something worth a line in the log, in words; never payload.
struct LogLine {
  enum class Level : std::uint8_t { kDebug, kInfo, kWarning };
  Level level = Level::kInfo;
  std::string text;
};

/// The output of a step. The shell executes `list` in order, then clears everything; capacity
/// stays.
struct Actions {
  std::vector<Action> list;
  ByteBuffer arena;
  std::vector<TapNote> tap;
  std::vector<LogLine> log;

  void clear() {
    list.clear();
    arena.clear();
    tap.clear();
    log.clear();
  }
};

/// What could not be done at once: `bundles` kTransmit of the session, and its kControl if
/// `control`, met a full pipe. The shell keeps the order: after the first failure of a session in
/// a list it does not try that session's later ones, it counts them.
struct Blocked {
  SessionId session = kNone;
  std::uint32_t bundles = 0;
  bool control = false;
};

}  // namespace zpost::core
