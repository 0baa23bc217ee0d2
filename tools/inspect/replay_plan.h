// What of a capture can be sent again, and what became of it then. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tools/inspect/replay_moves.h"
#include "tools/inspect/tail_filter.h"
#include "tools/inspect/tap_reader.h"
#include "zpost/protocol/envelope.h"
#include "zpost/protocol/kinds.h"
#include "zpost/protocol/outcomes.h"

namespace zpost::inspect {

struct ReplayBody {
  std::vector<std::byte> bytes = {};
  bool is_text = false;
  std::string content_type = {};
};

struct RecordedReply {
  ReplayBody body = {};
  bool rejected = false;
  bool more = false;      // Others follow.
  bool cut = false;       // `body` is only its beginning.
  bool redacted = false;  // Of `body` something may be replaced.
  std::uint64_t time_ns = 0;

  /// `body` is all that it was.
  [[nodiscard]] bool is_whole() const { return !cut && !redacted; }
};

/// One envelope to be sent, and what the capture knows of its fate.
struct ReplayItem {
  Kind kind = Kind::kSend;
  std::size_t sender = 0;  // Of ReplayPlan::senders.
  std::string to = {};     // A peer, topic, or service (without its mark).
  std::uint64_t id = 0;    // As it was recorded.
  std::uint64_t time_ns = 0;
  ReplayBody body = {};
  std::string trace = {};
  bool stamped = false;  // It said when its sender sent it.
  bool idempotent = false;
  bool retain = false;
  bool wants_count = false;
  bool needs_subscriber = false;
  /// Of a request or call: how long after it was received its deadline was; 0: it had none.
  std::uint64_t deadline_ns = 0;

  /// kNone: the capture does not say. kDelivered of a request or call: it was answered.
  Outcome outcome = Outcome::kNone;
  std::uint64_t end_ns = 0;  // When that was known.
  std::vector<RecordedReply> replies = {};
  std::string worker = {};                             // Of a call: who had it.
  bool recipient_left = false;                         // With it: that is why it was lost.
  std::optional<std::uint32_t> queues = std::nullopt;  // Of a publish: that took it.
  /// How many of its sender's requests and calls had their end before it was sent.
  std::size_t after = 0;

  [[nodiscard]] bool is_exchange() const { return kind == Kind::kRequest || kind == Kind::kCall; }

  /// Whoever had it, or was to have it; empty: nobody, or many.
  [[nodiscard]] const std::string& recipient() const;

  /// Whether all of its replies are in the capture, as they were.
  [[nodiscard]] bool has_whole_answer() const;
};

struct ReplaySender {
  std::string name = {};                // As it was recorded.
  std::vector<std::size_t> ended = {};  // Its requests and calls, in the order of their ends.
};

/// Why a recorded envelope is not sent.
enum class NotSent : std::uint8_t {
  kCut,  // Only the beginning of its body is in the capture.
  kRedacted,
  kNotShown,       // Its body is not in the capture.
  kRefusedAtOnce,  // The broker refused it, and shows no bodies of what it refuses.
  kOtherMeta,      // It says something that this program cannot say.
  kByBroker,       // A will: the broker sent it.
  kReal,           // Its sender is at the broker itself.
};
/// For people: `its body is cut`, …
[[nodiscard]] std::string_view not_sent_text(NotSent why);

struct LeftOut {
  NotSent why = NotSent::kCut;
  std::uint8_t kind_number = 0;
  std::string from = {};
  std::string to = {};  // As in records: a service has its mark.
  std::uint64_t id = 0;
  std::uint64_t count = 1;  // Neighbours of which it is the first.
};

struct ReplayPlan {
  std::vector<ReplayItem> items = {};  // In the order they were received.
  std::vector<ReplaySender> senders = {};
  RecordedPresences presences = {};
  std::vector<LeftOut> left_out = {};              // The first kMaxNamed of them …
  std::map<NotSent, std::uint64_t> not_sent = {};  // … and how many there are.
  std::uint64_t begin_ns = 0;                      // Of the capture's first record …
  std::uint64_t end_ns = 0;                        // … and its last one.
  std::uint64_t missed = 0;                        // Records that the capture misses.

  static constexpr std::size_t kMaxNamed = 1000;

  void leave_out(LeftOut what);

  /// Envelopes that are not sent, for whatever reason.
  [[nodiscard]] std::uint64_t left_out_count() const;

  [[nodiscard]] const std::string& sender_of(const ReplayItem& item) const {
    return senders[item.sender].name;
  }
};

/// Which of the recorded envelopes are wanted.
struct ReplayChoice {
  std::optional<filter::Filter> filter = std::nullopt;
  std::string from = {};  // Patterns; empty: all.
  std::string to = {};
  bool requests_only = false;  // And calls.
  std::uint64_t start_ns = 0;  // From the capture's first record on.
  std::uint64_t end_ns = UINT64_MAX;
  std::uint64_t limit = 0;  // 0: none.
};

/// Makes a plan of the records of a capture, in their order. Thread: one.
class PlanBuilder {
 public:
  // What is kept in memory, so what can be replayed at once.
  static constexpr std::size_t kMaxItems = 1'000'000;
  static constexpr std::size_t kMaxMoves = 1'000'000;
  static constexpr std::size_t kMaxBytes = std::size_t{1} << 30;

  explicit PlanBuilder(ReplayChoice choice);

  /// `redacted`: what the record shows is not what there was. Error: it is more than there is room
  /// for; names the limit.
  [[nodiscard]] Result<void> add(const TapEntry& entry, bool redacted);

  [[nodiscard]] ReplayPlan finish() { return std::move(plan_); }

 private:
  struct Known {
    std::size_t sender = 0;
    std::map<std::uint64_t, std::size_t> items = {};  // By their ids.
  };

  [[nodiscard]] Result<void> take_received(const TapEntry& entry, bool redacted);
  [[nodiscard]] Result<void> take_envelope(const TapEntry& entry, Bytes bytes, bool cut,
                                           bool redacted);
  [[nodiscard]] Result<void> take_reply(const TapEntry& entry, const ShownEnvelope& envelope,
                                        bool redacted);
  void take_end(const TapEntry& entry);
  void take_answered(const TapEntry& entry);
  [[nodiscard]] Result<void> take_session(const TapEntry& entry);
  void note_sender(const std::string& sender);
  void end(ReplayItem& item, Outcome outcome, std::uint64_t time_ns);
  [[nodiscard]] bool is_new(const TapEntry& entry);
  [[nodiscard]] bool is_in_range(std::uint64_t time_ns) const;
  [[nodiscard]] bool is_wanted(TailLine& line);
  [[nodiscard]] ReplayItem* find(std::string_view sender, std::uint64_t id);
  Known& known(const std::string& sender);
  [[nodiscard]] Result<void> keep(std::size_t bytes);

  ReplayChoice choice_;
  TailFilter filter_;
  ReplayPlan plan_;
  std::map<std::string, Known, std::less<>> known_;
  std::map<std::string, std::uint64_t, std::less<>> highest_;  // Ids of each sender so far.
  std::vector<TailLine> lines_;
  std::size_t bytes_ = 0;
  std::size_t moves_ = 0;
};

}  // namespace zpost::inspect
