// The tap's own work: fills the recorder, serves inspectors. No thread of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "broker/core/action.h"
#include "broker/core/directory.h"
#include "broker/tap/listener.h"
#include "broker/tap/note_ring.h"
#include "broker/tap/recall.h"
#include "broker/tap/recorder.h"

namespace zpost::tap {

/// What an inspector is sent.
enum class Channel : std::uint8_t { kTap, kRecall };

struct OpenTap {
  core::SessionId session = core::kNone;
  std::uint64_t ticket = 0;  // Tells what a session asked for from what it asks for later.
  core::TapFilter filter;
  std::optional<filter::Filter> program;  // What the text of the filter says.
};

struct OpenRecall {
  core::SessionId session = core::kNone;
  std::uint64_t ticket = 0;
  core::RecallWish wish;
  std::optional<filter::Filter> program;
};

/// Its tap and its recall.
struct CloseTap {
  core::SessionId session = core::kNone;
};

/// A body was handed over to the core: there is room for another.
struct BodySent {
  core::SessionId session = core::kNone;
  Channel channel = Channel::kTap;
  std::uint64_t ticket = 0;
};

struct Command {
  std::variant<OpenTap, OpenRecall, CloseTap, BodySent> order;
  std::uint64_t after = 0;  // Once the notes before this position of the ring are read.
};

struct OutBody {
  core::SessionId session = core::kNone;
  Channel channel = Channel::kTap;
  std::uint64_t ticket = 0;
  bool last = false;  // Of a recall.
  ByteBuffer bytes;
};

/// What goes between the routing thread and the tap's beside the notes. Few a second, so a lock is
/// cheap. Thread: any.
class TapMail {
 public:
  void tell(Command command);
  [[nodiscard]] std::vector<Command> take_commands();
  void put(OutBody body);
  /// Cheap where there are none.
  [[nodiscard]] std::vector<OutBody> take_bodies();

 private:
  std::mutex mutex_;
  std::vector<Command> commands_;
  std::vector<OutBody> bodies_;
  std::atomic<bool> has_commands_{false};
  std::atomic<bool> has_bodies_{false};
};

/// Thread: one at a time, not the one that writes the ring.
class Desk {
 public:
  Desk(NoteRing& ring, TapMail& mail, std::size_t recorder_bytes)
      : ring_(ring), mail_(mail), recorder_(recorder_bytes) {}

  struct Done {
    bool something = false;  // There may be more to do at once.
    bool bodies = false;     // Something waits for the routing thread.
  };

  /// Does what there is to do, or a part of it.
  [[nodiscard]] Done turn(std::uint64_t now_ns);

  /// Whether anybody waits for what comes.
  [[nodiscard]] bool is_watched() const { return !listeners_.empty() || !recalls_.empty(); }

  /// What the recorder holds. Thread: any.
  [[nodiscard]] std::size_t recorded_bytes() const {
    return recorded_bytes_.load(std::memory_order_relaxed);
  }

  [[nodiscard]] std::uint64_t recorded() const { return recorded_.load(std::memory_order_relaxed); }

  /// The time of the oldest record; 0: there is none. Thread: any.
  [[nodiscard]] std::uint64_t oldest_ns() const {
    return oldest_ns_.load(std::memory_order_relaxed);
  }

 private:
  // Bodies on their way to one inspector: enough for it never to wait for the next.
  static constexpr int kMostUnderWay = 16;
  static constexpr int kNotesAtOnce = 4096;

  template <typename Source>
  struct Stream {
    Source source;
    std::uint64_t ticket = 0;
    int under_way = 0;
  };

  struct Name {
    std::string text;
    std::uint32_t version = 0;
  };

  void obey(OpenTap& order);
  void obey(OpenRecall& order);
  void obey(CloseTap& order);
  void obey(BodySent& order);
  [[nodiscard]] bool take_notes();
  [[nodiscard]] bool obey_due();
  void take(const NoteRing::Entry& entry);
  [[nodiscard]] NameUse use_of(std::uint32_t number) const;
  void serve(std::uint64_t now_ns, Done& done);
  template <typename Source>
  [[nodiscard]] bool send(core::SessionId session, Channel channel, Stream<Source>& stream);
  template <typename Streams>
  static void note_sent(Streams& streams, const BodySent& order);

  NoteRing& ring_;
  TapMail& mail_;
  Recorder recorder_;
  std::atomic<std::size_t> recorded_bytes_{0};
  std::atomic<std::uint64_t> recorded_{0};
  std::atomic<std::uint64_t> oldest_ns_{0};
  std::map<core::SessionId, Stream<Listener>> listeners_;
  std::map<core::SessionId, Stream<Recall>> recalls_;
  std::deque<Command> commands_;
  std::vector<Name> names_;  // By number, as last told.
};

}  // namespace zpost::tap
