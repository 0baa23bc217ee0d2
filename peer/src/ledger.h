// What a peer has sent and what became of it: credit, copies for resending, settlement.
//
// Pure: no sockets, clocks or threads. protocol/SPEC.md, sections 6 and 7, are its rules.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "peer/src/frame_pool.h"
#include "zpost/protocol/control.h"
#include "zpost/protocol/envelope.h"
#include "zpost/protocol/names.h"

namespace zpost::peer {

/// Neighbouring envelopes of one frame to one recipient, with consecutive ids.
struct Extent {
  std::uint64_t first_id = 0;
  std::uint32_t count = 0;
  std::uint32_t bytes = 0;
  std::uint32_t each = 0;  // Bytes of every envelope, or 0 if they differ.
  bool request = false;    // Final outcomes of requests are not the ledger's to tell.

  [[nodiscard]] std::uint64_t last_id() const { return first_id + count - 1; }

  [[nodiscard]] std::uint64_t cost() const { return bytes + count * kEnvelopeOverhead; }
};

/// An extent and the frame it stands in.
struct Run : Extent {
  FrameRef frame;
  std::uint32_t offset = 0;

  [[nodiscard]] Bytes view() const { return frame.bytes().subspan(offset, bytes); }
};

/// Envelopes to one recipient with consecutive ids that share their fate.
struct Settlement {
  std::string_view to;  // Valid until the ledger's next call.
  std::uint64_t first_id = 0;
  std::uint64_t count = 0;
  Outcome outcome = Outcome::kNone;
  bool request = false;
};

/// How a session goes on after a welcome. SPEC.md, section 6, "Resending".
enum class Continuation {
  kFirst,
  kResumed,
  kSameRun,  // The same run of the broker, but a new session.
  kNewRun,
};

class Ledger {
 public:
  struct Recipient {
    std::string name;
    EnvelopePrefix prefix;            // Of plain sends.
    std::deque<Run> runs;             // Sent and not covered by a receipt, in id order.
    std::uint64_t outstanding = 0;    // Their cost, and that of the open frame's share.
    std::vector<std::uint64_t> told;  // Ids in `runs` whose outcome was told, ascending.
  };

  /// A run to be sent again.
  struct Queued {
    Recipient* to = nullptr;
    Run run;
  };

  explicit Ledger(std::string own_name) : own_name_(std::move(own_name)) {}

  /// The account of `name`, opened if there is none. Valid while it has something outstanding, and
  /// otherwise until the next call of this function. REQUIRES: a name, kAllTopics, a service's
  /// account, or empty for the broker.
  [[nodiscard]] Recipient& recipient(std::string_view name) {
    return last_ != nullptr && last_->name == name ? *last_ : open_account(name);
  }

  /// The account of all that is published. Valid as one of recipient().
  [[nodiscard]] Recipient& topics() {
    return topics_ != nullptr ? *topics_ : *(topics_ = &recipient(kAllTopics));
  }

  [[nodiscard]] const Recipient* find(std::string_view name) const;

  /// Whether the latest recipient() asked for `name`.
  [[nodiscard]] bool is_latest(std::string_view name) const {
    return last_ != nullptr && last_->name == name;
  }

  /// The id the next new envelope gets.
  [[nodiscard]] std::uint64_t next_id() const { return next_id_; }

  [[nodiscard]] std::uint64_t take_id() { return next_id_++; }

  /// The first of `count` consecutive ids.
  [[nodiscard]] std::uint64_t take_ids(std::uint32_t count) {
    next_id_ += count;
    return next_id_ - count;
  }

  /// Whether an envelope of `cost` may go now. SPEC.md, section 7.
  [[nodiscard]] bool admits(const Recipient& to, std::uint64_t cost) const {
    return (sent_ + cost <= credit_ || outstanding_ == 0) &&
           (to.outstanding + cost <= pair_ || to.outstanding == 0);
  }

  /// How many of at most `count` envelopes of `cost` each may go now.
  [[nodiscard]] std::size_t admitted(const Recipient& to, std::uint64_t cost,
                                     std::size_t count) const;

  /// Counts envelopes that were put on their way, new ones or copies.
  void charge(Recipient& to, std::uint64_t cost) {
    sent_ += cost;
    outstanding_ += cost;
    to.outstanding += cost;
  }

  /// Counts `count` new envelopes that are no requests as unsettled.
  void count_new(std::uint64_t count) { unsettled_ += count; }

  /// Keeps the copy of what was charged. Runs to one recipient come in id order.
  void keep(Recipient& to, Run run);

  /// A frame whose last envelope has `id` was handed to a connection. Frames come in id order.
  void note_handed(std::uint64_t id) { handed_ = std::max(handed_, id); }

  /// The broker's latest totals. A lower credit is adopted as far as it can be.
  void set_limits(std::uint64_t credit, std::uint64_t pair);

  /// The total in force; an ack reports it as its third number.
  [[nodiscard]] std::uint64_t credit() const { return credit_; }

  /// The cost that may be outstanding to one recipient.
  [[nodiscard]] std::uint64_t pair_limit() const { return pair_; }

  /// Applies one entry of a receipt; appends what it settles to `out`, except what failed before.
  void settle(const ReceiptEntry& receipt, std::vector<Settlement>& out);

  struct Told {
    std::string to;  // As the envelope says it: of a publish the topic.
    bool request = false;
    bool doubtful = false;  // An earlier run of the broker may have delivered it.
  };

  /// Remembers that the outcome of `id` was told by itself. `to` empty: no recipient was named.
  /// Then no receipt will cover it, unless `outcome` ends a request that was accepted. Nothing: not
  /// one of ours, or told before.
  std::optional<Told> tell_one(std::string_view to, std::uint64_t id, Outcome outcome);

  /// The reply to request `id` came, which is its outcome: it is not sent again.
  void note_answered(std::string_view to, std::uint64_t id);

  /// Goes on after a welcome: starts the epoch's totals and queues what must be sent again. Appends
  /// to `out` what is lost, and what is too large for a broker that came back with lower limits.
  /// REQUIRES: all charged envelopes were kept.
  void welcomed(const Welcome& welcome, Continuation continuation, std::vector<Settlement>& out);

  /// Gives up: everything without an outcome is appended to `out` as lost. REQUIRES as welcomed().
  void abandon(std::vector<Settlement>& out);

  [[nodiscard]] bool resending() const { return !backlog_.empty(); }

  /// What waits to be sent again, while resending().
  struct Backlog {
    std::string_view next_to;  // Whose copies come next: no credit for it stops all.
    std::uint64_t envelopes = 0;
    std::uint64_t bytes = 0;
  };

  [[nodiscard]] Backlog backlog() const;

  /// The cost of all copies. REQUIRES: all charged envelopes were kept.
  [[nodiscard]] std::uint64_t cost_kept() const;

  /// The next copies to send again, as many as credit admits and `room` bytes hold, already
  /// charged; nothing in `run.count` if none can go now.
  [[nodiscard]] Queued next_copy(std::size_t room);

  /// Envelopes without a final outcome, requests not counted.
  [[nodiscard]] std::uint64_t unsettled() const { return unsettled_; }

 private:
  struct Hash {
    using is_transparent = void;

    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };

  static constexpr std::size_t kMaxIdleAccounts = 65'536;
  // One copy holds its whole frame. So that memory stays in proportion to the copies, they move to
  // frames of their own once frames hold more than kMostlyUsed times their bytes and kSpareBytes.
  static constexpr std::size_t kMostlyUsed = 4;
  static constexpr std::size_t kSpareBytes = 1 << 20;
  static constexpr std::size_t kTogether =
      std::size_t{16} * 1024;  // Copies of one recipient, if more.

  [[nodiscard]] Recipient* find(std::string_view name);
  [[nodiscard]] Recipient& open_account(std::string_view name);
  [[nodiscard]] static Run split_front(Run& run, std::uint32_t count);
  void tell(const Recipient& to, const Run& run, Outcome outcome, std::vector<Settlement>& out);
  [[nodiscard]] Recipient* holder_of(std::string_view to, std::uint64_t id);
  void cut_out(Recipient& to, std::uint64_t id);
  void cut_out_of_backlog(std::uint64_t id);
  void pop_front(Recipient& to, const ReceiptEntry& receipt, std::vector<Settlement>& out);
  void lose(Recipient& to, std::uint64_t up_to, std::vector<Settlement>& out);
  void lose_backlog(std::uint64_t up_to, std::vector<Settlement>& out);
  void requeue(Recipient& to, std::uint64_t above);
  void requeue_untold(Recipient& to, Run run);
  void refuse_larger_than(std::uint64_t limit, std::vector<Settlement>& out);
  void sort_out(Queued queued, std::uint64_t limit, std::deque<Queued>& fitting,
                std::vector<Settlement>& out);
  void hold(const Run& run);
  void drop(const Run& run);
  void compact_if_sparse();
  void compact(std::deque<Run>& runs);
  void move_to(Run& run, const FrameRef& frame);
  void recount();
  void forget_idle();

  std::string own_name_;
  std::unordered_map<std::string, Recipient, Hash, std::equal_to<>> recipients_;
  Recipient* last_ = nullptr;  // The latest account asked for.
  Recipient* topics_ = nullptr;
  std::deque<Queued> backlog_;  // In id order.
  std::uint64_t next_id_ = 0;
  std::uint64_t handed_ = 0;    // The highest id that went to any connection,
  std::uint64_t doubtful_ = 0;  // and to one of an earlier run of the broker.
  std::uint64_t credit_ = 0;
  std::uint64_t pair_ = 0;
  std::uint64_t sent_ = 0;         // Cost, in this epoch.
  std::uint64_t outstanding_ = 0;  // Cost not covered by receipts.
  std::uint64_t unsettled_ = 0;
  std::size_t bytes_kept_ = 0;          // Of the copies …
  std::size_t capacity_kept_ = 0;       // … and of the frames that hold them.
  std::size_t capacity_compacted_ = 0;  // What it was after the latest compaction, or lower since.
};

}  // namespace zpost::peer
