// What a peer has received: the two lanes and their counts, what waits for the program, acks.
//
// Pure: no sockets, clocks or threads. protocol/SPEC.md, sections 5 to 7, are its rules.
// Envelopes are queued as views; a shared pointer keeps their frame's bytes alive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "peer/src/clock.h"
#include "peer/src/watermarks.h"
#include "zpost/protocol/control.h"
#include "zpost/protocol/envelope.h"

namespace zpost::peer {

/// Keeps received bytes alive.
using Keeper = std::shared_ptr<const void>;

class Inbox {
 public:
  static constexpr std::size_t kFullBatch = 64;

  /// Envelopes of one frame, neighbours on the program lane.
  struct Entry {
    Keeper frame;
    std::vector<EnvelopeView> views;
    std::size_t next = 0;          // The first that was not given to the program.
    std::uint64_t first_lane = 0;  // The lane number of views[0].
    std::size_t frame_bytes = 0;   // 0 but for the last entry of a frame.

    [[nodiscard]] std::size_t left() const { return views.size() - next; }
  };

  // --- Arrival -------------------------------------------------------------------------------

  /// Counts an envelope of the program lane. True if it is new here: not repeated by a resume, and
  /// above what its sender's name had before, where that applies.
  [[nodiscard]] bool accept(const EnvelopeView& view) {
    return accept_if(view, [&view] { return has_mark(view); });
  }

  /// The same with its meta as read_meta() gives it.
  [[nodiscard]] bool accept(const EnvelopeView& view, const Meta& meta) {
    return accept_if(view, [&view, &meta] { return is_ordered(view) && has_mark(meta); });
  }

  /// Puts an accepted envelope of the frame at hand into the program's queue. Others that were
  /// accepted count as taken in their order.
  void queue(const EnvelopeView& view) {
    if (open_.views.empty() || open_.first_lane + open_.views.size() != position_) open_entry();
    open_.views.push_back(view);
    ++counts_.received;
  }

  /// Ends the frame whose envelopes were queued. `frame` keeps their bytes alive.
  void end_frame(const Keeper& frame, std::size_t bytes);

  /// Counts an envelope of the outcome lane. False: repeated by a resume.
  [[nodiscard]] bool accept_outcome();

  // --- The program ---------------------------------------------------------------------------

  [[nodiscard]] bool empty() const { return entries_.empty(); }

  /// Gives one envelope to the program. REQUIRES: !empty(). `frame` keeps the view's bytes alive.
  [[nodiscard]] EnvelopeView give_one(Keeper& frame);
  /// Gives up to `max` envelopes: appends their views and what keeps them alive. Stops at the end
  /// of a frame once there are kFullBatch.
  void give(std::size_t max, std::vector<EnvelopeView>& views, std::vector<Keeper>& frames);
  /// Takes out the request or call `id` of `from` if it is queued and not given yet: it counts as
  /// taken. False: there is none. Call between frames.
  [[nodiscard]] bool remove(std::string_view from, std::uint64_t id);
  /// All that was given to the program is taken.
  void take();

  // --- Acks ----------------------------------------------------------------------------------

  /// What hello says: the counts as far as this connection's envelopes went.
  [[nodiscard]] Ack reached() const { return {ackable(), outcome_position_, 0}; }

  /// Whether an ack would say anything new.
  [[nodiscard]] bool ack_wanted() const {
    return ackable() != acked_taken_ || outcome_position_ != acked_outcomes_;
  }

  /// Whether somebody waits for it: anything but publishes, whose senders hear nothing of acks.
  [[nodiscard]] bool ack_hurries() const {
    return outcome_position_ != acked_outcomes_ ||
           (hurried_position_ > acked_taken_ && ackable() != acked_taken_);
  }

  /// Whether a quarter of the window waits for an ack.
  [[nodiscard]] bool ack_urgent() const {
    return !untaken_ && (given_bytes_ >= urgent_bytes_ || given_frames_ >= urgent_frames_);
  }

  /// What was dropped as a repetition though the program may not have had it, and the broker was
  /// not told; now it is. To be said before the ack that covers it.
  [[nodiscard]] std::vector<LaneRange> take_doubts() { return std::exchange(untold_doubts_, {}); }

  /// All of this session that the broker may not have heard, for a hello.
  [[nodiscard]] const std::vector<LaneRange>& doubts() const { return doubts_; }

  /// The counts to acknowledge now, remembered as acknowledged.
  [[nodiscard]] Ack make_ack();

  // --- Sessions ------------------------------------------------------------------------------

  /// Goes on after a welcome to a hello that asked for `window_frames` (0: the broker's choice).
  /// Returns how many envelopes the program took that no ack covered (0 when resumed).
  std::uint64_t welcomed(const Welcome& welcome, std::size_t window_frames);

  /// Since the beginning, over all epochs.
  struct Counts {
    std::uint64_t received = 0;    // Queued for the program; again if discarded and repeated.
    std::uint64_t given = 0;       // Of those, given to the program.
    std::uint64_t taken = 0;       // Of those, taken.
    std::uint64_t duplicates = 0;  // Dropped, since the program had them before.
  };

  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  /// The lane number up to which everything was given or needs no program.
  [[nodiscard]] std::uint64_t complete() const {
    return entries_.empty() ? received_ : entries_.front().first_lane + entries_.front().next - 1;
  }

  /// What may be acknowledged on this connection: the broker must have sent it here, too.
  [[nodiscard]] std::uint64_t ackable() const {
    const std::uint64_t count = untaken_ ? taken_ : complete();
    return count < position_ ? count : position_;
  }

  /// Whether "nothing twice" applies to an envelope.
  [[nodiscard]] static bool has_mark(const EnvelopeView& view) {
    return view.has_meta() ? meta_has_mark(view) : is_ordered(view);
  }

  /// Whether it comes in the order of its sender's ids, which publishes and calls need not.
  [[nodiscard]] static bool is_ordered(const EnvelopeView& view) {
    return view.kind() >= Kind::kSend && view.kind() <= Kind::kReply && !view.from.empty();
  }

  [[nodiscard]] static bool has_mark(const Meta& meta) {
    return meta.again == 0 && !meta.retained && !meta.will;
  }

  [[nodiscard]] static bool meta_has_mark(const EnvelopeView& view);
  template <typename HasMark>
  [[nodiscard]] bool accept_if(const EnvelopeView& view, HasMark has_mark);
  void open_entry();
  void begin_giving();
  void finish_front();
  void cut_out(std::deque<Entry>::iterator entry, std::size_t index);
  void discard();
  void drop(const EnvelopeView& view);

  std::deque<Entry> entries_;
  Entry open_;                       // Of the frame at hand.
  std::vector<Entry> parts_;         // Earlier entries of the frame at hand.
  std::vector<EnvelopeView> spare_;  // A vector's capacity for the next frame.
  Watermarks watermarks_;
  bool route_marked_ = false;  // The latest mark asked for was that of the envelope before.

  std::uint64_t position_ = 0;  // Lane number of the latest envelope on this connection.
  std::uint64_t received_ = 0;  // The highest lane number ever in this epoch.
  std::uint64_t taken_ = 0;     // While untaken_: the count before.
  bool untaken_ = false;        // The program was given something it has not taken.
  std::uint64_t acked_taken_ = 0;
  std::uint64_t hurried_position_ = 0;  // Of the latest that is no publish.
  std::uint64_t outcome_position_ = 0;
  std::uint64_t outcomes_ = 0;
  std::uint64_t acked_outcomes_ = 0;

  std::vector<LaneRange> doubts_;  // The latest kMaxDoubts.
  std::vector<LaneRange> untold_doubts_;

  std::size_t given_bytes_ = 0;  // Since the latest ack.
  std::size_t given_frames_ = 0;
  std::size_t urgent_bytes_ = 0;
  std::size_t urgent_frames_ = 0;
  Counts counts_;
};

template <typename HasMark>
bool Inbox::accept_if(const EnvelopeView& view, HasMark has_mark) {
  const bool same_sender = view.repeats_route && route_marked_;
  route_marked_ = false;
  ++position_;
  if (view.kind() != Kind::kPublish) hurried_position_ = position_;
  if (position_ <= received_) return false;
  received_ = position_;
  if (!same_sender && !has_mark()) return true;
  route_marked_ = true;
  const bool fresh =
      same_sender ? watermarks_.pass_latest(view.id) : watermarks_.pass(view.from, view.id);
  if (!fresh) drop(view);
  return fresh;
}

}  // namespace zpost::peer
