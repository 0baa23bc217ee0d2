// A peer that speaks protocol/SPEC.md from its text alone, frame by frame, in a World. It checks
// what the broker says to it and throws Broken where that contradicts the page.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/broker/core/support/world.h"
#include "zpost/protocol/control.h"
#include "zpost/protocol/envelope.h"

namespace zpost::core::test {

/// The instance number `n` of a program: 32 hex digits.
[[nodiscard]] std::string instance_of(std::uint64_t n);

class FakePeer;

/// Who wants to know what a peer learns.
class Observer {
 public:
  virtual ~Observer() = default;

  virtual void on_sent(const FakePeer&, const EnvelopeFields&) {}

  /// It subscribes, offers and the like, or ends that.
  virtual void on_interest(const FakePeer&, Kind, Bytes /*body*/) {}

  /// An envelope of the program lane arrived for the first time.
  virtual void on_arrived(const FakePeer&, const EnvelopeView&) {}

  virtual void on_taken(const FakePeer&, const EnvelopeView&) {}

  /// It was told what became of an envelope: a failure, or how many queues took a publish.
  virtual void on_told(const FakePeer&, std::uint64_t /*id*/, const OutcomeNotice&) {}

  /// A request or call that was taken ended without its reply.
  virtual void on_ended(const FakePeer&, std::uint64_t /*id*/, Outcome) {}

  virtual void on_settled(const FakePeer&, std::uint64_t /*id*/, bool /*unconfirmed*/) {}
};

class FakePeer {
 public:
  struct Options {
    std::string name = {};
    std::string instance = instance_of(1);
    bool acks = true;
    bool resume = true;
    bool pong = true;
    bool honest = true;       // Holds the broker to the page. Off for those who break it.
    bool says_credit = true;  // Acks with three numbers.
    std::uint64_t window = 0;
    std::uint64_t frames = 0;
    std::optional<std::uint64_t> demand = {};
    std::uint64_t backlog = 0;
    std::vector<LaneRange> doubts = {};
    Metadata metadata = {};
    std::optional<Will> will = {};
    std::string earlier_run = {};  // Of the broker, that had welcomed it.
  };

  FakePeer(World& world, Options options, Observer* observer = nullptr);

  // --- Connection and session ------------------------------------------------------------------

  /// Opens a new socket. The old one, if any, stays as it is.
  void connect();
  /// Says hello, resuming the session it last had if it has the ability.
  void hello();

  /// Forgets the session it had: the next hello starts anew.
  void forget_session() { epoch_ = 0; }

  /// Its socket reconnected by itself: until the next welcome, what it reads settles nothing.
  void reconnected() { reconnected_ = true; }

  void become(std::uint64_t instance);
  void goodbye();

  void lose(bool late = false) { world_.lose(connection_, late); }

  // --- Payload ---------------------------------------------------------------------------------

  /// Whether the page allows it to send an envelope that costs `cost` to `to` now.
  [[nodiscard]] bool may_send(std::string_view to, std::uint64_t cost) const;
  /// Sends one envelope in a frame of its own, allowed or not. Returns its id.
  std::uint64_t send(std::string_view to, std::string_view body, Kind kind = Kind::kSend,
                     const Meta& meta = {});
  /// What resume obliges it to send again, as far as credit goes. False: something is left.
  bool resend();

  // --- Frames ----------------------------------------------------------------------------------
  // Envelopes go into a draft, a frame to be; say() sends it.

  /// Writes one payload envelope and counts it as sent.
  std::uint64_t write(std::string_view to, std::string_view body, Kind kind = Kind::kSend,
                      const Meta& meta = {});
  /// Writes an envelope as it is, right or wrong; counts nothing.
  void write_raw(const EnvelopeFields& fields);

  void write_bytes(std::string_view bytes) { draft_ += bytes; }

  void write_hello();
  void write_ack();
  void write_ack(const Ack& ack);
  void write_watch(std::string_view pattern, bool on = true);
  void write_goodbye(const Goodbye& counts);
  /// Subscribes, offers and the like; with an id the broker answers. Returns the id.
  std::uint64_t write_interest(Kind kind, Bytes body, bool wants_answer = true);

  void cut_draft(std::size_t bytes) { draft_.resize(draft_.size() - bytes); }

  [[nodiscard]] const std::string& draft() const { return draft_; }

  void say();

  // --- Receiving -------------------------------------------------------------------------------

  /// Reads at most `count` frames, and answers pings if it has the ability and `answer`.
  /// Returns them as they came.
  std::vector<std::string> read(std::size_t count = World::kNoLimit, bool answer = true);
  /// The program takes `count` of what arrived, or all of it.
  void take(std::uint64_t count = UINT64_MAX);
  /// Says how much it took so far.
  void ack();
  /// Reads, takes and acknowledges everything.
  void keep_up();

  // --- What it knows ---------------------------------------------------------------------------

  struct Copy {
    std::string to;
    std::string account;  // The recipient that receipts name.
    std::string bytes;
  };

  /// The recipient that receipts name for what is sent to `to`. SPEC.md, sections 16 and 17.
  [[nodiscard]] static std::string account_of(Kind kind, std::string_view to);

  [[nodiscard]] const Options& options() const { return options_; }

  void set_options(Options options) { options_ = std::move(options); }

  [[nodiscard]] const std::string& name() const { return options_.name; }

  [[nodiscard]] ConnectionId connection() const { return connection_; }

  [[nodiscard]] bool connected() const {
    return world_.alive(connection_) && world_.use_of(connection_) == use_;
  }

  [[nodiscard]] bool welcomed() const { return welcomed_; }

  /// It said hello on this connection and waits for the answer.
  [[nodiscard]] bool asking() const { return asking_; }

  [[nodiscard]] const Welcome& welcome() const { return welcome_; }

  [[nodiscard]] const std::optional<Refusal>& refusal() const { return refusal_; }

  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }

  [[nodiscard]] std::uint64_t last_id() const { return next_id_ - 1; }

  [[nodiscard]] std::uint64_t credit() const { return credit_; }

  [[nodiscard]] std::uint64_t pair() const { return pair_; }

  [[nodiscard]] std::uint64_t sent_cost() const { return sent_cost_; }

  [[nodiscard]] std::uint64_t arrived() const { return arrived_; }

  [[nodiscard]] std::uint64_t taken() const { return taken_; }

  [[nodiscard]] std::uint64_t outcomes() const { return outcomes_; }

  /// Without an outcome so far.
  [[nodiscard]] const std::map<std::uint64_t, Copy>& copies() const { return copies_; }

  /// Requests and calls that have not ended.
  [[nodiscard]] const std::set<std::uint64_t>& asked() const { return asked_; }

  /// The broker's, which deadlines go by.
  [[nodiscard]] std::uint64_t clock() const { return world_.clock(); }

  /// Cost of what no receipt covers.
  [[nodiscard]] std::uint64_t unsettled() const;
  /// What was told of its envelopes: failures by code, and success.
  [[nodiscard]] std::uint64_t told(Outcome outcome) const;
  /// What was answered to write_interest(); kNone: nothing yet.
  [[nodiscard]] Outcome answer(std::uint64_t id) const;
  /// Bodies that arrived in this epoch, in order.
  [[nodiscard]] std::vector<std::string> bodies() const;
  /// The envelopes themselves. They point into this peer, until it is in another epoch.
  [[nodiscard]] std::vector<EnvelopeView> entries() const;

 private:
  struct Mark {
    std::uint64_t last = 0;  // Lane number.
    std::uint64_t bytes = 0;
  };

  void on_frame(std::string_view frame, bool answer);
  void on_envelope(const EnvelopeView& view, bool answer);
  void on_welcome(const Welcome& welcome);
  void on_refusal(const Refusal& refusal);
  void on_outcome(const EnvelopeView& view);
  void on_limits(const Receipt& receipt);
  void on_receipt_entry(const ReceiptEntry& entry);
  void on_program_lane(const EnvelopeView& view);
  void check_window(const Mark& mark);
  void count_sent(std::uint64_t id, std::string_view to, std::string_view bytes);
  void settle_copies(const ReceiptEntry& entry);
  void hold(bool claim, std::string_view what) const;

  World& world_;
  Options options_;
  Observer* observer_;
  ConnectionId connection_ = kNone;
  std::uint64_t use_ = 0;  // Of the connection's slot.
  bool welcomed_ = false;
  bool reconnected_ = false;
  bool report_due_ = false;  // Of the credit it goes by.
  bool asking_ = false;
  Welcome welcome_;
  std::optional<Refusal> refusal_;
  std::uint64_t epoch_ = 0;
  std::string draft_;
  std::string pongs_;

  // As a sender.
  std::uint64_t next_id_ = 1;
  std::uint64_t sent_cost_ = 0;
  std::uint64_t credit_ = 0;
  std::uint64_t pair_ = 0;
  std::map<std::uint64_t, Copy> copies_;
  std::deque<std::uint64_t> to_resend_;
  std::map<std::string, std::map<std::uint64_t, std::uint64_t>, std::less<>> unsettled_;
  std::map<Outcome, std::uint64_t> told_;
  std::set<std::uint64_t> asked_;             // Requests and calls that have not ended.
  std::map<std::uint64_t, Outcome> answers_;  // By the id; kNone: none came yet.

  // As a recipient, in this epoch.
  std::vector<std::string> lane_;
  std::vector<std::string> outcome_lane_;
  std::uint64_t arrived_ = 0;
  std::uint64_t taken_ = 0;
  std::uint64_t acked_ = 0;
  std::uint64_t outcomes_arrived_ = 0;
  std::uint64_t outcomes_ = 0;
  std::uint64_t said_taken_ = 0;  // In the last hello.
  std::uint64_t said_outcomes_ = 0;
  std::deque<Mark> marks_;  // Frames of the program lane that are not acknowledged.
};

}  // namespace zpost::core::test
