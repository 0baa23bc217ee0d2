// The router's insides, one class over several files: frames.cpp (what comes in), payload.cpp,
// topics.cpp, calls.cpp, presence.cpp, sessions.cpp, flow.cpp (what goes out), timers.cpp,
// admin.cpp, metrics.cpp, notes.cpp, route.cpp.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "broker/core/directory.h"
#include "broker/core/exchanges.h"
#include "broker/core/recent_senders.h"
#include "broker/core/route_question.h"
#include "broker/core/router.h"
#include "broker/core/services.h"
#include "broker/core/session.h"
#include "broker/core/topic_routes.h"
#include "broker/core/unsettled.h"
#include "zpost/protocol/names.h"

namespace zpost::core {

/// Bundles grow to this size; larger frames are only forwarded whole or made of one large range.
inline constexpr std::uint32_t kBundleBytes = 64 << 10;
// Values that the subscriptions of one frame may make the broker look at.
inline constexpr std::uint64_t kMostRetainedSteps = 200'000;
// A gap mark has its recipient's name, a count, and little else.
inline constexpr std::uint32_t kMostGapBytes = kMaxNameBytes + 32;
/// Frames up to this size may share a receive buffer of libzmq, so they are copied, not kept.
inline constexpr std::size_t kWholeFrameBytes = 8 << 10;
/// What pair_for() says when there is none.
inline constexpr PairIndex kNoPair = kNone;
/// Recipients a sender may have had dealings with lately.
inline constexpr std::size_t kMaxPairs = 8192;
/// What a pair takes with its places in tables, about; all pairs together may take a sixteenth of
/// limits.memory, past which a sender keeps kFewPairs.
inline constexpr std::uint64_t kPairBytes = 400;
inline constexpr std::size_t kFewPairs = 64;
inline constexpr std::int64_t kPairSweepPeriod = 20 * kSecond;
/// docs/adr/0017: from how many frames a turn on publishes wait for company, how long for each, at
/// most; what is enough company; how many in a frame show that longer rests pay, and the longest.
inline constexpr std::int64_t kFewFrames = 8;
inline constexpr std::int64_t kFrameRest = 20'000;
inline constexpr std::int64_t kMostRest = 5 * kMillisecond;
inline constexpr std::uint32_t kMostCompanyBytes = 256 << 10;
inline constexpr std::uint64_t kGoodCompany = 16;
inline constexpr std::int64_t kLongestRest = 25 * kMillisecond;
/// What comes at once goes to one worker until it has this part of its capacity more than others.
inline constexpr std::uint64_t kEvenShare = 32;
/// Of receipts that tell of good company: so many times limits.receipt_ns.
inline constexpr std::int64_t kLongestReceiptPause = 5;
/// While others send too a sender's credit grows to this part of limits.credit_max.
inline constexpr std::uint64_t kShareBesideOthers = 2;
/// A frame from here on goes to many by reference; smaller ones are gathered.
inline constexpr std::size_t kWholeForManyBytes = 48 << 10;
/// A sender is taken to wait once less than this part of what it may have unsettled is left.
inline constexpr std::uint64_t kSpentShare = 32;
/// Answers to subscriptions and the like that a peer may leave unacknowledged.
inline constexpr std::size_t kMaxAnswers = 4096;
/// Outcomes in one control frame.
inline constexpr std::uint64_t kOutcomesPerFrame = 512;
/// Control frames with the last outcomes of a session that ends.
inline constexpr int kLastFrames = 8;
/// Ids may run this far ahead of the broker's clock (about a year), so that nobody can spoil the
/// floor for all.
inline constexpr std::uint64_t kMaxIdLead = std::uint64_t{1} << 55;
/// Sessions that are remembered after their end: at least these, and as many as may be there.
inline constexpr std::uint64_t kMinRemembered = 10'000;
inline constexpr std::int64_t kSweepPeriod = 100 * kMillisecond;
/// Of so many sweeps a quiet session needs one.
inline constexpr std::uint64_t kQuietSweeps = 10;
/// A full pipe is tried again after this time, or an eighth of how long it has been full, if that
/// is more: each try writes the frame anew.
inline constexpr std::int64_t kBlockedRetry = 2 * kMillisecond;
inline constexpr std::int64_t kMostBlockedRetry = 100 * kMillisecond;

/// What is kept of a session that is over.
struct Remembered {
  std::string instance;
  std::uint64_t epoch = 0;
  std::uint64_t highest_id = 0;
  std::uint64_t taken = 0;  // Program lane.
};

class Router::Impl {
 public:
  Impl(const Limits& limits, BrokerIdentity identity);

  // frames.cpp
  void on_frame(ConnectionId connection, std::string_view name, Bytes frame);
  void on_multipart(ConnectionId connection);
  void on_bad_identity(ConnectionId connection);
  void on_disconnected(ConnectionId connection);
  void on_handover(ConnectionId connection);
  void forget_connection(ConnectionId connection);
  void set_address(ConnectionId connection, std::string_view address);

  // flow.cpp, settling.cpp
  void flush();
  [[nodiscard]] bool senders_differ() const;
  void on_executed(std::span<const Blocked> blocked);
  bool send_from_broker(SessionId session, std::string_view content_type, Bytes body);

  // timers.cpp
  void tick();
  [[nodiscard]] std::int64_t next_deadline() const;
  void drain();
  void farewell();

  // metrics.cpp
  [[nodiscard]] Metrics metrics() const;

  [[nodiscard]] std::size_t pairs() const { return pairs_.size() - free_pairs_.size(); }

  /// Every public call starts here: time and output of this step.
  void begin(Now now, Actions& out) {
    if (!started_) {
      clock_base_ = now.wall_ns - static_cast<std::uint64_t>(now.steady_ns);
      started_ns_ = now.wall_ns;
    }
    started_ = true;
    now_ = now;
    out_ = &out;
    senders_.turn(now.steady_ns);
  }

  Limits limits;
  BrokerIdentity identity;
  Accounting accounting;
  Directory directory;
  FilterCheck filter_check = {};
  TapDetail tap_detail = TapDetail::kNothing;
  bool draining = false;
  std::size_t session_count = 0;   // Without expected ones.
  std::size_t expected_count = 0;  // At most limits.peers.
  std::size_t waiting_calls = 0;
  std::uint64_t held_bytes = 0;
  std::uint64_t gap_bytes = 0;  // Of held_bytes: gap marks, which are told whatever is held.
  std::uint64_t process_memory = 0;
  RecorderNumbers recorder;
  std::uint64_t id_floor = 0;

 private:
  /// Neighbours in the current frame that go to the same recipient.
  struct Range {
    SessionId to = kNone;
    PairIndex pair = kNone;
    std::uint8_t kind = 0;
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    std::uint32_t count = 0;
    std::uint64_t first_id = 0;
    std::uint64_t last_id = 0;
  };

  /// What a tap note speaks of: neighbours in the current frame.
  struct Shown {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    std::uint32_t count = 0;
    std::uint64_t first_id = 0;
    std::uint64_t last_id = 0;
  };

  /// What became of a part of a stream.
  struct Moved {
    TapEvent event = TapEvent::kForwarded;
    std::uint16_t code = 0;
    bool calls = false;  // Whether calls are told of, too.
  };

  /// A payload envelope that goes no further.
  struct Failure {
    PairIndex pair = kNoPair;
    std::uint64_t id = 0;
    std::uint8_t kind = 0;
    std::uint64_t cost = 0;
    Outcome code = Outcome::kNone;
    Detail detail = Detail::kQueue;
    std::uint32_t count = kNone;  // With kDelivered: the queues that took a publish.
  };

  /// Neighbours in the current frame, all publishes, with the same audience.
  struct TopicRange {
    AudienceId audience = 0;
    PairIndex pair = kNone;
    NameId topic = kBrokerName;  // Of the first.
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    std::uint32_t count = 0;
    std::uint64_t first_id = 0;
    std::uint64_t last_id = 0;
    std::uint64_t cost = 0;  // What settling them gives back.
  };

  /// Publishes as a subscriber gets them.
  struct Copies {
    Source source = Source::kFrame;
    std::uint32_t offset = 0;
    std::uint32_t length = 0;
    std::uint32_t count = 0;
    bool whole = false;   // They are all of this step's frame, which may be kept.
    bool shared = false;  // Others get them, too.
  };

  // frames.cpp
  void on_stranger(ConnectionId connection, std::string_view name, Bytes frame);
  void heard(Session& session);
  [[nodiscard]] bool control(Session& session, const EnvelopeView& view);
  void on_ack(Session& session, const EnvelopeView& view);
  void on_doubt(Session& session, const EnvelopeView& view);
  void violation(Session& session, std::string_view what);
  void end_violator(Session& session);
  void refuse(ConnectionId connection, std::string_view name, Outcome code, std::string_view text,
              bool retry);
  [[nodiscard]] bool told_lately(ConnectionId connection);

  // payload.cpp
  void payload(Session& session, const EnvelopeView& view);
  [[nodiscard]] Outcome no_pair(Session& session, const EnvelopeView& view);
  [[nodiscard]] Outcome check_id(Session& session, const EnvelopeView& view, bool names_checked);
  [[nodiscard]] PairIndex pair_of(Session& session, const EnvelopeView& view);
  [[nodiscard]] Outcome check(Session& session, const Pair& pair, const EnvelopeView& view,
                              bool alone);
  [[nodiscard]] Outcome check_sender(const Session& session, std::uint64_t received,
                                     bool alone) const;
  [[nodiscard]] std::int64_t rate_after(const Session& session) const;
  [[nodiscard]] Outcome check_any(std::size_t size) const;
  [[nodiscard]] static bool is_over_pair_limit(const Session& session, const Pair& pair,
                                               std::uint64_t cost);
  [[nodiscard]] Outcome check_way(const Session& session, const EnvelopeView& view,
                                  std::size_t size, SessionId to);
  [[nodiscard]] Outcome check_meta(Session& session, const EnvelopeView& view);
  [[nodiscard]] Outcome check_recipient(const Session& sender, std::string_view name, SessionId to,
                                        std::size_t size) const;
  void accept(PairIndex pair, const EnvelopeView& view);
  void add_run(Stream& stream, PairIndex pair, std::uint64_t id, std::uint32_t size,
               std::uint8_t kind);
  void uncharge_run(const Run& run, std::uint32_t count);
  [[nodiscard]] static bool came_together(const Stream& stream, std::int64_t received_ns);
  void commit_ranges();
  void commit_direct();
  void append_range(const Range& range);
  [[nodiscard]] PairIndex pair_for(Session& session, std::string_view to);
  [[nodiscard]] PairIndex find_or_make_pair(Session& session, std::string_view to);
  [[nodiscard]] bool may_have_another_pair(const Session& session) const;
  [[nodiscard]] bool may_sweep_pairs(const Session& session) const;
  [[nodiscard]] bool is_old(const Pair& pair) const;
  [[nodiscard]] bool is_forgettable(const Session& session, const Pair& pair) const;
  void ask_what_is_read(Session& session);
  void sweep_pairs(Session& session);
  void free_pair(PairIndex index);
  void fail(Session& session, const Failure& failure);

  // topics.cpp
  void on_subscribe(Session& session, const EnvelopeView& view);
  void on_unsubscribe(Session& session, const EnvelopeView& view);
  void unsubscribe_all(Session& session);
  void before_routes_change();
  void answer_interest(Session& session, const EnvelopeView& view, Outcome code,
                       Detail detail = Detail::kQueue, std::uint32_t count = kNone);
  void refuse_interest(Session& session, const EnvelopeView& view, const Error& error);
  [[nodiscard]] PairIndex topics_pair(Session& session);
  [[nodiscard]] Outcome check_publish(const Session& session, const EnvelopeView& view,
                                      std::size_t size);
  [[nodiscard]] std::uint32_t queues_of(const Session& session, AudienceId audience) const;
  void publish(Session& session, PairIndex pair, const EnvelopeView& view);
  void commit_topics();
  void spread(const TopicRange& range);
  void deliver(Session& to, const Copies& copies, SlowPolicy policy);
  void enqueue(Session& to, const Copies& copies);
  void enqueue_apart(Session& to, const Copies& copies);
  [[nodiscard]] Outcome check_copies(const Session& to, std::uint64_t bytes) const;
  [[nodiscard]] bool needs_bundle(const Session& to, std::uint32_t bytes, bool shared) const;
  [[nodiscard]] std::uint64_t topic_room(const TopicQueue& queue) const;
  [[nodiscard]] bool is_too_full(const TopicQueue& queue) const;
  void enforce(Session& to, SlowPolicy policy);
  static void leave(TopicQueue& queue, std::uint32_t bytes);
  void lose_copies(std::uint32_t count, Outcome why);
  void settle_publishes(const TopicRange& range);
  void settle_waiting(Session& subscriber);
  void give_back(PairIndex pair, std::uint32_t count, std::uint64_t cost);
  void hand_over_topics(Session& session);
  [[nodiscard]] bool topics_rest(const Session& session) const;
  void rest_topics();
  [[nodiscard]] std::uint32_t most_company() const;
  void tell_gap(Session& session);
  void lose_topics(Session& session, Outcome why);
  void end_slow_subscribers();
  [[nodiscard]] bool may_retain(const EnvelopeView& view, std::size_t size) const;
  void keep_retained(const EnvelopeView& view);
  std::uint32_t send_retained(Session& session, std::string_view pattern, SlowPolicy policy);

  // calls.cpp
  void on_offer(Session& session, const EnvelopeView& view);
  void on_withdraw(Session& session, const EnvelopeView& view);
  void withdraw_all(Session& session);
  void remove_worker(ServiceId service, Session& session);
  [[nodiscard]] static std::uint64_t take_left(Session& session, ServiceId service);
  void erase_if_unused(ServiceId service);
  [[nodiscard]] Worker* worker_of(ServiceId service, SessionId session);
  [[nodiscard]] PairIndex service_pair(Session& session, std::string_view service);
  [[nodiscard]] Outcome check_call(const Session& session, const EnvelopeView& view,
                                   std::size_t size);
  [[nodiscard]] Outcome check_exchange(const Session& session);
  [[nodiscard]] ExchangeId open_exchange(Session& session, const EnvelopeView& view);
  void call(Session& session, PairIndex pair, const EnvelopeView& view);
  void enqueue_call(ExchangeId call, bool first);
  void serve(ServiceId service);
  [[nodiscard]] const Worker* least_busy(const Service& service) const;
  [[nodiscard]] bool may_go_on(const Service& service, const Worker& best) const;
  [[nodiscard]] Worker* next_worker(Service& service);
  void hand_to(ExchangeId call, Worker& worker);
  [[nodiscard]] static EnvelopeView read_call(const Exchange& call);
  void take_call(ExchangeId call, bool confirmed);
  void settle_call(Exchange& call);
  bool settle_entry(PairIndex pair, std::uint64_t number);
  void keep_bytes(Exchange& call, Bytes bytes);
  void drop_bytes(Exchange& call);
  void recall(ExchangeId call, Outcome why);
  void release_worker(ExchangeId exchange);
  void fail_call(ExchangeId call, Outcome why);
  void end_exchange(ExchangeId exchange, Outcome why, Detail detail = Detail::kQueue);
  void give_up_exchange(ExchangeId exchange, Outcome why);
  void close_exchange(ExchangeId exchange);
  void free_exchange(ExchangeId exchange);
  [[nodiscard]] bool forget_request(Session& asker, std::uint64_t request);
  void lose_answered(Session& asker, PairIndex pair, std::uint64_t request, std::uint64_t cost,
                     Outcome why);
  void serve_due();
  void on_reply(const Session& session, const EnvelopeView& reply, NameId caller, Outcome outcome);
  void on_cancel(Session& session, const EnvelopeView& view);
  void end_held(Session& session);
  void end_asked(Session& session);
  void expire_exchanges();
  void sweep_services();
  void serve_offers(Session& session);

  // presence.cpp
  void on_watch(Session& session, const EnvelopeView& view);
  void on_describe(Session& session, const EnvelopeView& view);
  [[nodiscard]] bool may_tell_all(Session& session, const EnvelopeView& view);
  void watch_nothing(Session& session);
  void tell_presence(const Session& about, std::string_view event, std::string_view reason);
  void send_presence(Session& watcher, const Session& about, std::string_view event,
                     std::string_view reason);
  void send_will(const Session& session);
  void publish_will(const EnvelopeFields& fields);

  // metrics.cpp
  static void add_session(const Session& session, Metrics& all);

  // sessions.cpp
  void on_hello(ConnectionId connection, std::string_view name, const EnvelopeView& view);
  void admit(ConnectionId connection, std::string_view name, Hello hello);
  void challenge(Session& holder, ConnectionId connection, Hello hello);
  void refuse_challenger(Session& holder, std::string_view why);
  [[nodiscard]] Challenger take_challenger(Session& holder);
  void unpark(ConnectionId connection);
  void welcome_new(ConnectionId connection, std::string_view name, Hello hello);
  void resume(Session& session, ConnectionId connection, Hello hello);
  void say_welcome(Session& session, bool resumed,
                   std::optional<std::uint64_t> earlier_taken = std::nullopt);
  void bind(Session& session, ConnectionId connection);
  void unbind(Session& session);
  void make_away(Session& session, std::string_view why);
  void end(Session& session, Outcome code, std::string_view text, bool retry);
  void over(Session& session, Outcome why, std::string_view reason);
  void lose_stream(Session& session, Outcome why);
  void lose_run(const Run& run, Outcome why, Detail detail = Detail::kQueue);
  void lose_unheard(const Run& run, const Session& recipient, Outcome why);
  void orphan_pairs(Session& session);
  void remember(const Session& session);
  [[nodiscard]] SessionId new_session(std::string_view name);
  void free_session(Session& session);
  [[nodiscard]] bool may_expect(const Session& sender, std::string_view name) const;
  void expect(const Session& sender, NameId name);
  void give_up(Session& expected);
  [[nodiscard]] std::uint64_t next_first_id();
  [[nodiscard]] std::uint64_t void_ids(const Session& session, const Remembered* latest);
  [[nodiscard]] const Remembered* remembered(std::string_view name) const;

  // notes.cpp
  [[nodiscard]] bool noting() const { return tap_detail != TapDetail::kNothing; }

  TapNote& note(TapEvent event, NameId from, NameId to, std::uint8_t kind);
  static void show(TapNote& note, const Shown& shown);
  void note_range(const Range& range);
  bool continue_note(const Pair& pair, std::uint8_t kind, const Shown& run);
  template <typename Visit>
  void for_even_runs(const Shown& all, Visit visit);
  [[nodiscard]] HeldWhy held_why(const Session& to) const;
  void note_moves(Session& session);
  static void find_place(Stream& stream, std::uint64_t count);
  void note_gone(Session& session, std::uint64_t gone);
  void note_held(Session& session);
  static void skip(const Stream& stream, RunPlace& place, std::uint64_t count);
  void note_lanes(Session& session, RunPlace& place, std::uint64_t count, const Moved& how);
  void note_dropped(Session& subscriber);
  void note_topics(const TopicRange& range);
  void note_exchange(const Exchange& exchange, TapEvent event, NameId other, std::uint64_t last_id,
                     std::uint16_t code);
  void note_waiting(const Exchange& call, HeldWhy why);
  void note_call(const Exchange& call, TapEvent event, const EnvelopeView& view);
  void note_unheard(const Run& run, const Session& recipient, Outcome why);
  void note_session(const Session& session, SessionChange change, Outcome code);
  [[nodiscard]] bool is_spent(const Session& sender, PairIndex index) const;
  void watch_flow(Session& sender, PairIndex index);
  void tell_stall(Session& sender);
  void note_flow(const Session& sender, FlowChange change);
  void note_asked(const Session& session, const EnvelopeView& view, AdminOp op);

  // flow.cpp, settling.cpp
  void take(Session& session, std::uint64_t taken, std::uint64_t outcomes);
  void settle_front(Session& session, std::uint64_t count, bool confirmed);
  void settle_run(Run& run, std::uint32_t count, bool confirmed);
  void take_up_to(Session& session, std::uint64_t taken);
  void doubt_front(Session& session, std::uint64_t count);
  void note_doubts(Session& session, const std::vector<LaneRange>& ranges, std::uint64_t handed);
  void release_front(Session& session, std::uint64_t count);
  void take_outcomes(Session& session, std::uint64_t outcomes);
  void settled(Session& session, std::uint64_t cost, std::uint32_t count);
  void mark_dirty(PairIndex index);
  void touch(Session& session);
  bool flush_session(Session& session);
  void take_back(Session& session, const Blocked& block);
  void flush_stream(Session& session);
  bool flush_control(Session& session, SessionId blames);
  void hand_over(Session& session);
  void note_handed(const Session& session);
  void settle_handed(Session& session);
  [[nodiscard]] bool takes_frames(const Session& session) const;
  [[nodiscard]] bool window_open(const Session& session) const;
  [[nodiscard]] bool window_admits(const Session& session, Bundle next) const;
  [[nodiscard]] std::uint64_t receipt_position(const Pair& pair) const;
  [[nodiscard]] std::uint64_t first_failed(const Pair& pair) const;
  [[nodiscard]] bool receipt_due(const Session& session) const;
  [[nodiscard]] std::int64_t receipt_pause(const Session& session) const;
  [[nodiscard]] std::string outcome_text(const Session& sender, const OutcomeEntry& entry) const;
  [[nodiscard]] std::string full_text(Detail detail) const;
  void write_outcomes(Session& session);
  void write_receipt(Session& session);
  [[nodiscard]] bool may_double(const Session& session) const;
  [[nodiscard]] std::uint64_t most_credit(const Session& session) const;
  void lower_credit(Session& session, std::uint64_t most);
  void adjust_credit(Session& session);
  void adopt_credit(Session& session, std::uint64_t credit);
  void append_from_broker(Session& session, const EnvelopeFields& fields, PairIndex as);
  void append(Session& session, Source source, std::uint32_t offset, std::uint32_t length,
              std::uint32_t count);
  void write_ping(Session& session);
  void control_frame(ConnectionId connection, SessionId session, std::size_t begin);
  void set_credit_size(Session& session, std::uint64_t size);
  [[nodiscard]] std::uint64_t first_credit(const Hello& hello) const;

  [[nodiscard]] std::uint64_t budget() const { return limits.memory / 2; }

  /// Whether the broker's own answers, presence and tap would hold too much with `more` bytes.
  [[nodiscard]] bool own_is_full(std::uint64_t more) const {
    return own_bytes_ + more > limits.memory / 4 || held_bytes + more > limits.memory;
  }

  [[nodiscard]] bool over_memory() const { return process_memory > limits.memory; }

  // timers.cpp
  [[nodiscard]] bool is_due(const Session& session) const;
  [[nodiscard]] bool ping_is_due(const Session& session) const;
  void sweep(Session& session);
  void part(Session& session);
  void ping(Session& session);
  void shrink(Session& session);
  void tell_credit(Session& session, std::uint64_t credit, std::uint64_t pair);
  void tell_all(Session& session);
  void say_goodbye(Session& session, Outcome code, std::string_view text);

  // admin.cpp
  void admin(Session& session, PairIndex pair, const EnvelopeView& view);
  [[nodiscard]] std::string wrong_with(const TapFilter& filter, Op op) const;
  void close_tap(Session& session);
  template <typename Wish>
  void open_tap(Session& session, const EnvelopeView& request, Op op, const Result<Wish>& wish);
  void answer_ok(Session& session, const EnvelopeView& request);
  void answer(Session& session, const EnvelopeView& request, Bytes body, bool rejected);
  void answer_who(Session& session, const EnvelopeView& request, std::uint64_t start,
                  std::string_view name);
  void answer_stats(Session& session, const EnvelopeView& request);
  [[nodiscard]] static std::uint64_t waiting_for(const Session& peer);
  [[nodiscard]] std::uint64_t oldest_of(const Session& peer) const;
  [[nodiscard]] static std::string_view state_name(Session::State state);

  // route.cpp
  void answer_route(Session& session, const EnvelopeView& request);
  [[nodiscard]] Outcome foresee(const Session& sender, const EnvelopeView& view, std::size_t size);
  [[nodiscard]] Outcome foresee_pair(const Session& sender, const EnvelopeView& view, Pair& pair);
  [[nodiscard]] Session stranger() const;
  [[nodiscard]] std::string_view waits_why(const Session& to, std::uint32_t size) const;
  [[nodiscard]] std::string_view foretell_direct(const EnvelopeView& view, std::uint32_t size,
                                                 MapWriter& out) const;
  [[nodiscard]] std::string_view foretell_topic(const Session& sender,
                                                const RouteQuestion& question,
                                                MapWriter& out) const;
  [[nodiscard]] std::string_view foretell_service(const RouteQuestion& question, MapWriter& out);
  void describe_recipient(const Session& to, std::uint32_t size, MapWriter& out) const;
  void describe_subscriber(const Subscriber& each, const Session& sender,
                           const RouteQuestion& question, MapWriter& out) const;

  /// What deadlines go by: the wall clock at the broker's start, counted on steadily.
  [[nodiscard]] std::uint64_t clock() const {
    return clock_base_ + static_cast<std::uint64_t>(now_.steady_ns);
  }

  [[nodiscard]] Session* session_of(ConnectionId connection);

  [[nodiscard]] std::string address_of(const Session& session) const {
    const bool known = session.connection != kNone && session.connection < addresses_.size();
    return known ? addresses_[session.connection] : std::string();
  }

  [[nodiscard]] Session& session_at(SessionId id) { return *sessions_[id]; }

  [[nodiscard]] std::string_view name_of(const Session& session) const {
    return directory.name(session.name);
  }

  void log(LogLine::Level level, std::string text) {
    out_->log.push_back({level, std::move(text)});
  }

  Action& act(Op op) {
    out_->list.emplace_back().op = op;
    return out_->list.back();
  }

  bool started_ = false;
  std::uint64_t started_ns_ = 0;  // Since 1970.
  std::uint64_t clock_base_ = 0;
  Now now_;
  Actions* out_ = nullptr;
  Bytes frame_;                // Of this step.
  PairIndex route_ = kNoPair;  // Of the envelope before in this frame, if its sender was in order.
  Meta meta_;                  // Of the payload envelope at hand,
  // What was handed to its sender before: no more can be acknowledged in it, since it was not sent.
  std::uint64_t handed_before_ = 0;
  std::uint64_t retained_steps_ = 0;  // Values looked at for its subscriptions.
  Detail detail_ = Detail::kQueue;    // and why it fails.
  Route topic_;                       // Of the latest publish of this frame,
  bool knows_topic_ = false;          // which has the topic of the one at hand.

  std::vector<std::unique_ptr<Session>> sessions_;
  std::vector<SessionId> free_sessions_;
  std::vector<SessionId> by_connection_;                          // kNone: no session.
  std::unordered_map<ConnectionId, std::int64_t> told_stranger_;  // When it was last refused.
  std::unordered_map<ConnectionId, SessionId> parked_;  // Challengers, and whose name they want.
  std::vector<Pair> pairs_;
  std::vector<PairIndex> free_pairs_;
  std::vector<Range> ranges_;
  std::vector<TopicRange> topic_ranges_;
  TopicRoutes routes_{directory};
  std::map<std::string, ByteBuffer, std::less<>> retained_;  // By topic: the envelope.
  std::uint64_t retained_bytes_ = 0;
  std::int64_t topic_frames_ = 0;       // Handed over in this turn.
  std::int64_t topics_rest_until_ = 0;  // Small ones wait for company.
  std::int64_t topics_rest_ = 0;        // How long the latest rest was to be.
  std::uint64_t topic_envelopes_ = 0;   // In topic_frames_.
  std::unordered_map<PairIndex, Unsettled> unsettled_;
  Exchanges exchanges_;
  Services services_;
  std::uint64_t offers_ = 0;               // Of all sessions.
  std::vector<ServiceId> due_services_;    // Their workers may have room again.
  std::uint64_t call_bytes_ = 0;           // Of calls that may have to be sent again.
  std::vector<ByteBuffer> spare_buffers_;  // For the next ones.
  std::vector<std::pair<SessionId, std::uint64_t>> slow_;  // With their epochs: to be ended.
  std::vector<SessionId> touched_;
  std::vector<SessionId> handed_;       // Without acks: settled once executed. Or blocked before.
  std::vector<SessionId> waiting_;      // Scratch of flush().
  std::uint64_t inspectors_ = 0;        // Sessions that inspect.
  std::vector<SessionId> watchers_;     // Who has watches.
  std::vector<std::string> addresses_;  // Of connections; empty: unknown.
  std::unordered_map<std::string, Remembered> remembered_;  // By name: its latest session.
  std::deque<std::pair<std::string, std::uint64_t>> remembered_order_;  // By their epochs.
  std::uint64_t next_epoch_ = 1;
  std::uint64_t id_base_ = 0;  // The clock's latest time, or where an earlier run's ids ended.
  std::uint64_t next_broker_id_ = 0;
  std::uint64_t reserved_ = 0;     // Sum of credit_size.
  RecentSenders senders_;          // Questions to the broker are not counted.
  std::uint64_t orphan_cost_ = 0;  // Held for senders that are gone.
  std::uint64_t own_bytes_ = 0;    // Of held_bytes: what the broker itself sends.
  Tally tally_;
  Latencies latencies_;
  std::int64_t next_sweep_ = kNever;
  std::uint64_t sweeps_ = 0;
  std::int64_t late_at_ = kNever;  // The first receipt or pipe that waits for its time.
};

}  // namespace zpost::core
