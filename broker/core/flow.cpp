// What goes out: streams and windows, outcomes, receipts, credit.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "broker/core/router_impl.h"

namespace zpost::core {

// ---- The end of a turn
// ---------------------------------------------------------------------------

void Router::Impl::touch(Session& session) {
  if (session.touched) return;
  session.touched = true;
  touched_.push_back(session.id);
  late_at_ = now_.steady_ns;  // Unless this turn's flush() is still to come, another turn is due.
}

void Router::Impl::flush() {
  directory.recycle();
  routes_.trim();
  end_slow_subscribers();
  late_at_ = kNever;
  waiting_.clear();
  // By index: what is flushed may touch others, which then have their turn too.
  for (std::size_t i = 0; i < touched_.size(); ++i) {
    Session* session = sessions_[touched_[i]].get();
    if (session == nullptr || !session->touched) continue;  // Over meanwhile.
    session->touched = false;
    if (flush_session(*session)) waiting_.push_back(session->id);
  }
  rest_topics();
  std::swap(touched_, waiting_);
  for (const SessionId id : touched_) session_at(id).touched = true;
}

/// True: it waits for its time.
bool Router::Impl::flush_session(Session& session) {
  const bool there = session.connection != kNone && session.state == Session::State::kActive;
  const bool blocked = session.retry_at > now_.steady_ns;
  if (there && !blocked) flush_stream(session);
  note_moves(session);
  if (!there) return false;
  if (session.retry_at > now_.steady_ns) {
    late_at_ = std::min(late_at_, session.retry_at);
    return true;
  }
  flush_control(session, session.id);
  const bool receipts = !session.dirty_pairs.empty() || session.credit_due;
  const bool topics = topics_rest(session) && window_open(session);
  if (receipts) late_at_ = std::min(late_at_, session.last_receipt + receipt_pause(session));
  if (topics) late_at_ = std::min(late_at_, topics_rest_until_);
  return receipts || topics;
}

void Router::Impl::on_executed(std::span<const Blocked> blocked) {
  for (const Blocked& block : blocked) {
    Session* session = sessions_[block.session].get();
    if (session != nullptr) take_back(*session, block);
  }
  for (const SessionId id : handed_) {
    Session* session = sessions_[id].get();
    if (session == nullptr) continue;
    if (session->retry_at <= now_.steady_ns) session->blocked_since = 0;
    // By its slot it may be another session by now.
    if (!session->hello.acks) settle_handed(*session);
  }
  handed_.clear();
}

/// What met a full pipe waits after all.
void Router::Impl::take_back(Session& session, const Blocked& block) {
  Stream& stream = session.stream;
  for (std::uint32_t i = 0; i < block.bundles; ++i) {
    const Bundle& bundle = stream.bundles[--stream.handed];
    stream.handed_bytes -= bundle.bytes;
    stream.handed_count -= bundle.count;
  }
  if (stream.told.gone > stream.handed_count) {
    stream.told.gone = stream.told.known = stream.handed_count;
  }
  if (block.control) {
    session.pong_due |= session.pong_told;
    session.ping_due |= session.ping_told;
    session.outcomes_sent = session.outcomes_sent_before;
    for (const PairIndex index : session.told_pairs) {
      pairs_[index].told_id = 0;
      mark_dirty(index);
    }
    session.credit_due = true;
    session.shrink_to = 0;  // A lower total is told again when there is room.
  }
  if (session.blocked_since == 0) session.blocked_since = now_.steady_ns;
  const std::int64_t full_for = now_.steady_ns - session.blocked_since;
  session.retry_at = now_.steady_ns + std::clamp(full_for / 8, kBlockedRetry, kMostBlockedRetry);
  note_moves(session);  // Before anything else becomes of it.
  touch(session);
}

/// What was handed to a peer that does not acknowledge is settled.
void Router::Impl::settle_handed(Session& session) {
  Stream& stream = session.stream;
  const std::uint64_t count = stream.handed_count - stream.acked;
  if (count > 0) {
    settle_front(session, count, false);
    release_front(session, count);
    stream.acked += count;
    session.taken += count;
    if (session.blocked_since != 0) session.blocked_since = now_.steady_ns;
  }
  take_outcomes(session, session.outcomes_sent);
}

/// Whether its connection is there and, as far as is known, not full.
bool Router::Impl::takes_frames(const Session& session) const {
  return session.connection != kNone && session.state == Session::State::kActive &&
         session.retry_at <= now_.steady_ns;
}

bool Router::Impl::window_open(const Session& session) const {
  const Stream& stream = session.stream;
  Bundle next;
  if (stream.waiting() > 0) {
    next = stream.bundles[stream.handed];
  } else if (session.topics.gap > 0) {
    next = {1, kMostGapBytes};  // Its mark, which goes first.
  } else if (!session.topics.bundles.empty()) {
    next = session.topics.bundles.front();
  }
  return window_admits(session, next);
}

bool Router::Impl::window_admits(const Session& session, Bundle next) const {
  if (!session.hello.acks) return true;  // Its pipe is its window.
  const Stream& stream = session.stream;
  if (stream.handed_count + next.count > stream.demand) return false;
  return stream.handed == 0 || (stream.handed < session.hello.window_frames &&
                                stream.handed_bytes + next.bytes <= session.hello.window_bytes);
}

void Router::Impl::flush_stream(Session& session) {
  if (!takes_frames(session)) return;
  TopicQueue& topics = session.topics;
  while (session.stream.waiting() > 0 || !topics.bundles.empty() || topics.gap > 0) {
    if (!window_open(session)) return;
    if (session.stream.waiting() > 0) {
      hand_over(session);
    } else if (topics_rest(session)) {
      return;
    } else if (topics.gap > 0) {
      tell_gap(session);
    } else {
      hand_over_topics(session);
    }
  }
}

void Router::Impl::hand_over(Session& session) {
  Stream& stream = session.stream;
  const Bundle& bundle = stream.bundles[stream.handed];
  if (++stream.handed == stream.bundles.size()) stream.open = false;
  stream.handed_bytes += bundle.bytes;
  stream.handed_count += bundle.count;
  Action& action = act(Op::kTransmit);
  action.session = session.id;
  note_handed(session);
}

/// on_executed() has something to do for it.
void Router::Impl::note_handed(const Session& session) {
  if (!session.hello.acks || session.blocked_since != 0) handed_.push_back(session.id);
}

/// Everything that is no payload goes in one frame of its own, past the window: pong, ping,
/// failures, then the receipt that may cover them later. False: there was nothing to say.
/// `blames`: who is told if its pipe is full; kNone: nobody, the session ends.
bool Router::Impl::flush_control(Session& session, SessionId blames) {
  const bool outcomes = session.outcomes_sent < session.outcomes_acked + session.outcomes.size() &&
                        session.outcomes_sent - session.outcomes_acked < kOutcomesPerFrame;
  const bool receipt = receipt_due(session);
  if (!outcomes && !receipt && !session.pong_due && !session.ping_due) return false;

  const std::size_t begin = out_->arena.size();
  session.outcomes_sent_before = session.outcomes_sent;
  session.told_pairs.clear();
  if (session.pong_due) {
    append_envelope(out_->arena,
                    {.kind = Kind::kPong, .to = name_of(session), .body = session.pong});
  }
  if (session.ping_due) {
    write_ping(session);
  }
  session.pong_told = std::exchange(session.pong_due, false);
  session.ping_told = std::exchange(session.ping_due, false);
  if (outcomes) write_outcomes(session);
  if (receipt) write_receipt(session);
  control_frame(session.connection, blames, begin);
  if (blames != kNone) note_handed(session);
  return true;
}

/// Numbered, so that its pong tells what was read by then: frames of a connection come in order.
void Router::Impl::write_ping(Session& session) {
  const std::string number = std::to_string(++session.pings);
  session.latest_ping = now_.steady_ns;
  append_envelope(out_->arena,
                  {.kind = Kind::kPing, .to = name_of(session), .body = as_bytes(number)});
}

void Router::Impl::control_frame(ConnectionId connection, SessionId session, std::size_t begin) {
  Action& action = act(Op::kControl);
  action.connection = connection;
  action.session = session;
  action.offset = static_cast<std::uint32_t>(begin);
  action.length = static_cast<std::uint32_t>(out_->arena.size() - begin);
}

// ---- Outcomes and receipts
// -----------------------------------------------------------------------

/// For people; with the limit where there is one.
std::string Router::Impl::outcome_text(const Session& sender, const OutcomeEntry& entry) const {
  switch (entry.code) {
    case Outcome::kNoPeer:
      return "no peer of that name";
    case Outcome::kLost:
      return entry.detail == Detail::kDoubt
                 ? "it was sent again, and the recipient cannot tell whether it had it before"
                 : "the recipient is gone, and may have taken it";
    case Outcome::kFull:
      return full_text(entry.detail);
    case Outcome::kOverRate:
      return fmt::format("limits.rate is {} envelopes a second", limits.rate);
    case Outcome::kNoWorker:
      return "nobody offers that service";
    case Outcome::kExpired:
      return "its deadline passed before a reply came";
    case Outcome::kCancelled:
      return "its sender withdrew it";
    case Outcome::kNoReply:
      return entry.detail == Detail::kReplyTooLarge
                 ? fmt::format("the reply is too large: limits.max_envelope is {} bytes",
                               limits.max_envelope)
                 : "the reply could not be delivered";
    case Outcome::kNoSubscriber:
      return "nobody subscribes to it";
    case Outcome::kOverCredit:
      return fmt::format("beyond the credit of {} or the pair limit of {}", sender.credit_size,
                         sender.pair_limit);
    case Outcome::kTooLarge:
      return fmt::format("limits.max_envelope is {} bytes", limits.max_envelope);
    case Outcome::kUnsupported:
      return "this broker does not serve it";
    case Outcome::kDraining:
      return "the broker is shutting down";
    case Outcome::kForged:
      return "from is not the connection's name";
    case Outcome::kDuplicate:
      return "the id is not above the highest one";
    case Outcome::kBadId:
      return "the id is far ahead of the clock";
    case Outcome::kBadName:
      return "to is not a name (or, of a publish, not a topic)";
    case Outcome::kMalformed:
      return "its meta or its body cannot be read";
    default:
      return {};
  }
}

/// Which limit is reached.
std::string Router::Impl::full_text(Detail detail) const {
  switch (detail) {
    case Detail::kSubscriptions:
      return fmt::format("limits.subscriptions is {} a peer", limits.subscriptions);
    case Detail::kAllSubscriptions:
      return fmt::format("limits.all_subscriptions is {}", limits.all_subscriptions);
    case Detail::kRetained:
      return fmt::format("limits.retained is {} values, of {} bytes in all", limits.retained,
                         limits.memory / 8);
    case Detail::kWatches:
      return fmt::format("limits.watches is {} a peer", limits.watches);
    case Detail::kOffers:
      return fmt::format("limits.offers is {} services a peer", limits.offers);
    case Detail::kAllOffers:
      return fmt::format("limits.all_offers is {} services of all peers", limits.all_offers);
    case Detail::kAllCalls:
      return fmt::format("limits.all_calls is {} requests and calls of all peers",
                         limits.all_calls);
    case Detail::kCalls:
      return fmt::format("limits.calls is {} requests and calls without a reply", limits.calls);
    case Detail::kServiceQueue:
      return fmt::format("limits.service_queue is {} calls that wait for a worker",
                         limits.service_queue);
    default:
      break;
  }
  return fmt::format("limits.queue ({} bytes) of the recipient or limits.memory is used up",
                     limits.queue);
}

void Router::Impl::write_outcomes(Session& session) {
  const std::uint64_t all = session.outcomes_acked + session.outcomes.size();
  const std::uint64_t end = std::min(all, session.outcomes_acked + kOutcomesPerFrame);
  for (; session.outcomes_sent < end; ++session.outcomes_sent) {
    const OutcomeEntry& entry = session.outcomes[session.outcomes_sent - session.outcomes_acked];
    const std::string_view recipient =
        entry.pair == kNoPair ? std::string_view{} : directory.name(pairs_[entry.pair].to);
    OutcomeNotice notice{entry.code, recipient, {}, {}};
    const std::string text = outcome_text(session, entry);
    notice.text = text;
    if (entry.count != kNone) notice.count = entry.count;
    const ByteBuffer body = encode(notice);
    append_envelope(out_->arena,
                    {.kind = Kind::kOutcome, .to = name_of(session), .id = entry.id, .body = body});
  }
}

std::uint64_t Router::Impl::first_failed(const Pair& pair) const {
  const Session& sender = *sessions_[pair.sender];
  const auto entry = [&](std::uint64_t lane) -> const OutcomeEntry& {
    return sender.outcomes[lane - sender.outcomes_acked - 1];
  };
  std::uint64_t first = entry(pair.failed_head).id;
  if (!pair.failed_unordered) return first;
  for (std::uint64_t lane = pair.failed_head; lane != 0; lane = entry(lane).next) {
    first = std::min(first, entry(lane).id);
  }
  return first;
}

/// Up to which id everything for this recipient is settled.
std::uint64_t Router::Impl::receipt_position(const Pair& pair) const {
  const std::uint64_t taken = pair.held_count > 0 ? pair.last_taken_id : pair.last_id;
  if (pair.failed_count == 0) return taken;
  return std::min(taken, first_failed(pair) - 1);
}

bool Router::Impl::receipt_due(const Session& session) const {
  if (session.dirty_pairs.empty() && !session.credit_due) return false;
  return session.settled_since_receipt >= session.pair_limit / 4 ||
         now_.steady_ns - session.last_receipt >= receipt_pause(session);
}

std::int64_t Router::Impl::receipt_pause(const Session& session) const {
  return std::max(session.receipt_pause, limits.receipt_ns);
}

void Router::Impl::write_receipt(Session& session) {
  // A quarter of the limit in less than a receipt's pause: the limit holds the sender up, even if
  // the broker never sees much outstanding.
  const bool fast = session.settled_since_receipt >= session.pair_limit / 4 &&
                    now_.steady_ns - session.last_receipt < limits.receipt_ns;
  if (fast) session.pressed = true;
  // Each costs the sender a wake-up, and who sends that much waits for its credit at most.
  const bool good = session.settled_count_since_receipt >= kGoodCompany;
  session.receipt_pause =
      good ? std::min(receipt_pause(session) * 2, limits.receipt_ns * kLongestReceiptPause) : 0;
  adjust_credit(session);
  Receipt receipt{session.credit, session.pair_limit, {}};
  ++tally_.receipts;
  for (const PairIndex index : session.dirty_pairs) {
    Pair& pair = pairs_[index];
    pair.dirty = false;
    const std::uint64_t position = receipt_position(pair);
    if (position <= pair.told_id) continue;
    const bool unconfirmed = pair.last_unconfirmed_id > pair.told_id;
    pair.told_id = position;
    pair.told_at = now_.steady_ns;
    session.told_pairs.push_back(index);
    receipt.entries.push_back({directory.name(pair.to), position, unconfirmed});
  }
  session.dirty_pairs.clear();
  session.credit_due = false;
  session.settled_since_receipt = session.settled_count_since_receipt = 0;
  session.last_receipt = now_.steady_ns;
  if (session.spent_since != 0) watch_flow(session, session.spent_pair);
  const Kind kind = receipt.entries.empty() ? Kind::kCredit : Kind::kReceipt;
  const ByteBuffer body = encode(receipt);
  append_envelope(out_->arena, {.kind = kind, .to = name_of(session), .body = body});
}

void Router::Impl::set_credit_size(Session& session, std::uint64_t size) {
  reserved_ += size - session.credit_size;
  session.credit_size = size;
  session.pair_limit = size / limits.pair_share;
  session.pair_bound = std::max(session.pair_bound, session.pair_limit);
}

/// What a new session may have unsettled. Copies are sent again in the order of ids: if one
/// recipient's limit stopped them, that would hold up what goes to others as well. So it admits
/// the whole backlog if half of the budget has room for that.
std::uint64_t Router::Impl::first_credit(const Hello& hello) const {
  std::uint64_t size = limits.credit_initial;
  // What the program sent since the hello comes on top.
  const std::uint64_t more = size / limits.pair_share;
  while (size / limits.pair_share - more < hello.backlog && size < limits.credit_max) {
    const std::uint64_t next = std::min(size * 2, limits.credit_max);
    if (reserved_ + orphan_cost_ + next > budget() / 2) break;
    size = next;
  }
  return size;
}

/// Whether the credit of `session` may be doubled. Much on its way makes a lone sender fast; of
/// several it only leaves the processor's caches, so those that grew share it: in bytes, as if the
/// others sent what this one does, and eight times its own credit at most. docs/adr/0011.
bool Router::Impl::may_double(const Session& session) const {
  if (reserved_ + orphan_cost_ + session.credit_size > budget()) return false;
  const std::uint64_t grown = reserved_ - session_count * limits.credit_initial;
  if (grown <= session.credit_size) return true;  // Alone.
  const std::uint64_t alike = std::min(grown + session.credit_size, session.credit_size * 8);
  const std::uint64_t settled = std::max<std::uint64_t>(session.settled_since_receipt, 1);
  const std::uint64_t bytes =
      settled - std::min(settled, session.settled_count_since_receipt * kEnvelopeOverhead);
  return alike / settled * bytes <= limits.credit_max / 8 * 5;
}

/// What one sender may grow to: what a flood has on its way is what others find the threads of both
/// sides busy with. docs/adr/0024.
std::uint64_t Router::Impl::most_credit(const Session& session) const {
  std::uint64_t most = limits.credit_max;
  if (senders_.several()) most = std::max(most / kShareBesideOthers, limits.credit_initial);
  const std::uint64_t audience = session.blocking_audience;
  return audience == 0 ? most : std::min(most, limits.blocking_credit(audience));
}

bool Router::Impl::senders_differ() const {
  return senders_.differ();
}

/// No more is granted until no more than `most` is unsettled.
void Router::Impl::lower_credit(Session& session, std::uint64_t most) {
  const std::uint64_t granted = session.credit - std::min(session.credit, session.settled_cost);
  set_credit_size(session, std::min(session.credit_size, std::max(most, granted)));
}

/// Doubles the credit of a sender that came near a limit.
void Router::Impl::adjust_credit(Session& session) {
  session.shrink_to = 0;
  const std::uint64_t most = most_credit(session);
  if (session.credit_size > most) {
    lower_credit(session, most);
  } else if (session.pressed && session.credit_size < most && may_double(session) &&
             !over_memory()) {
    set_credit_size(session, std::min(session.credit_size * 2, most));
  }
  session.pressed = false;
  session.blocking_audience = 0;
  session.credit = std::max(session.credit, session.settled_cost + session.credit_size);
}

/// The peer reports the lower total it adopted. It had reported the highest before it was told the
/// lower one, so what is below the highest can only be that.
void Router::Impl::adopt_credit(Session& session, std::uint64_t credit) {
  if (session.shrink_to == 0 || credit < session.shrink_to || credit >= session.credit) return;
  session.shrink_to = 0;
  session.credit = credit;
  const std::uint64_t unsettled = credit > session.settled_cost ? credit - session.settled_cost : 0;
  set_credit_size(session,
                  std::min(session.credit_size, std::max(limits.credit_initial, unsettled)));
  session.pair_bound = session.pair_limit;
}

// ---- Into a stream
// -------------------------------------------------------------------------------

void Router::Impl::append(Session& session, Source source, std::uint32_t offset,
                          std::uint32_t length, std::uint32_t count) {
  Stream& stream = session.stream;
  Action& action = act(Op::kAppend);
  action.session = session.id;
  action.source = source;
  action.offset = offset;
  action.length = length;
  action.fresh =
      !stream.open || stream.apart || stream.bundles.back().bytes + length > kBundleBytes;
  if (action.fresh) stream.bundles.push_back({});
  stream.open = true;
  stream.bundles.back().count += count;
  stream.bundles.back().bytes += length;
  stream.entered += count;
}

/// Puts an envelope of the broker's own into a peer's program lane.
void Router::Impl::append_from_broker(Session& session, const EnvelopeFields& fields,
                                      PairIndex as) {
  commit_ranges();  // What came before in this frame goes before it.
  const std::size_t begin = out_->arena.size();
  append_envelope(out_->arena, fields);
  const auto size = static_cast<std::uint32_t>(out_->arena.size() - begin);
  if (as == kBrokerPayload) {
    ++accounting.copies;
    ++accounting.held;
  }
  add_run(session.stream, as, fields.id, size, static_cast<std::uint8_t>(fields.kind));
  append(session, Source::kArena, static_cast<std::uint32_t>(begin), size, 1);
  touch(session);
}

bool Router::Impl::send_from_broker(SessionId id, std::string_view content_type, Bytes body) {
  if (id >= sessions_.size() || sessions_[id] == nullptr) return false;
  Session& session = session_at(id);
  if (session.stream.waiting() > 0 || !window_open(session)) return false;
  Meta meta;
  meta.content_type = content_type;
  const EnvelopeFields fields{.kind = Kind::kSend,
                              .to = name_of(session),
                              .id = next_broker_id_ + 1,
                              .meta = meta,
                              .body = body};
  if (own_is_full(encoded_bound(fields))) return false;
  ++next_broker_id_;
  append_from_broker(session, fields, kBrokerPayload);
  return true;
}

}  // namespace zpost::core
