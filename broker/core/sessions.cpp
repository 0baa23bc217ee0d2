// Sessions: hello, who holds a name, resume, away, over; and who is told. SPEC.md, section 5.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "broker/core/router_impl.h"
#include "broker/core/text.h"

namespace zpost::core {

namespace {

/// UTC, to the second, for people: 2026-01-31T23:59:59Z.
std::string utc(std::uint64_t wall_ns) {
  // Days to a civil date, after Howard Hinnant's chrono-compatible algorithms.
  const std::uint64_t seconds = wall_ns / 1'000'000'000;
  const std::uint64_t z = seconds / 86'400 + 719'468;
  const std::uint64_t era = z / 146'097;
  const std::uint64_t doe = z - era * 146'097;
  const std::uint64_t yoe = (doe - doe / 1'460 + doe / 36'524 - doe / 146'096) / 365;
  const std::uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const std::uint64_t mp = (5 * doy + 2) / 153;
  const std::uint64_t month = mp < 10 ? mp + 3 : mp - 9;
  const std::uint64_t year = yoe + era * 400 + (month <= 2 ? 1 : 0);
  const std::uint64_t of_day = seconds % 86'400;
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", year, month,
                     doy - (153 * mp + 2) / 5 + 1, of_day / 3'600, of_day / 60 % 60, of_day % 60);
}

}  // namespace

// ---- Hello
// ---------------------------------------------------------------------------------------

void Router::Impl::on_hello(ConnectionId connection, std::string_view name,
                            const EnvelopeView& view) {
  if (view.from != name) {
    return refuse(
        connection, name, Outcome::kForged,
        fmt::format("hello comes from \"{}\", the connection's name is {}", shown(view.from), name),
        false);
  }
  auto hello = decode_hello(view.body);
  if (!hello) return refuse(connection, name, Outcome::kMalformed, hello.error().text, false);
  if (std::find(hello->versions.begin(), hello->versions.end(), kProtocolVersion) ==
      hello->versions.end()) {
    return refuse(connection, name, Outcome::kVersion,
                  fmt::format("this broker speaks version {} only", kProtocolVersion), false);
  }
  admit(connection, name, std::move(*hello));
}

void Router::Impl::admit(ConnectionId connection, std::string_view name, Hello hello) {
  if (draining) {
    return refuse(connection, name, Outcome::kDraining, "the broker is shutting down", true);
  }
  const NameId known = directory.find(name);
  const SessionId holder_id = known == kNone ? kNone : directory.session(known);
  if (holder_id == kNone) return welcome_new(connection, name, std::move(hello));

  Session& holder = session_at(holder_id);
  if (holder.state == Session::State::kExpected) {
    return welcome_new(connection, name, std::move(hello));
  }
  if (holder.hello.instance != hello.instance) {
    return challenge(holder, connection, std::move(hello));
  }
  if (holder.challenger) refuse_challenger(holder, "the holder answered");
  const bool same = holder.hello.resume && hello.resume && hello.run == identity.run &&
                    hello.epoch == holder.epoch;
  const bool counts_fit =
      hello.taken <= holder.stream.handed_count && hello.taken >= holder.stream.acked &&
      hello.outcomes <= holder.outcomes_sent && hello.outcomes >= holder.outcomes_acked;
  // Who does not acknowledge need not count.
  if (same && (counts_fit || !holder.hello.acks)) {
    return resume(holder, connection, std::move(hello));
  }
  const ConnectionId old = holder.connection;
  over(holder, Outcome::kNone, "restarted");
  if (old != kNone && old != connection) act(Op::kExpel).connection = old;
  welcome_new(connection, name, std::move(hello));
}

void Router::Impl::challenge(Session& holder, ConnectionId connection, Hello hello) {
  const std::string name(name_of(holder));
  if (limits.newest_wins) {
    end(holder, Outcome::kReplaced, fmt::format("instance {} took the name over", hello.instance),
        false);
    return welcome_new(connection, name, std::move(hello));
  }
  if (holder.challenger && holder.challenger->connection != connection) {
    refuse_challenger(holder, "another instance asks for the name as well");
  }
  std::int64_t deadline = now_.steady_ns + limits.challenge_ns;
  if (holder.state == Session::State::kAway) {
    deadline = std::max(now_.steady_ns, holder.away_since + limits.challenge_ns);
  } else {
    holder.ping_due = true;
    touch(holder);
  }
  // Asking again is no reason to wait longer.
  if (holder.challenger) deadline = std::min(deadline, holder.challenger->deadline);
  parked_[connection] = holder.id;
  holder.challenger = Challenger{connection, std::move(hello), deadline};
  late_at_ = std::min(late_at_, deadline);
  next_sweep_ = std::min(next_sweep_, deadline);
}

void Router::Impl::refuse_challenger(Session& holder, std::string_view why) {
  const Challenger challenger = take_challenger(holder);
  const std::string address = address_of(holder);
  refuse(challenger.connection, name_of(holder), Outcome::kNameHeld,
         fmt::format("name {} is held by instance {}{}{} since {}: {}", name_of(holder),
                     holder.hello.instance, address.empty() ? "" : " from ", address,
                     utc(holder.since_wall_ns), why),
         true);
}

Challenger Router::Impl::take_challenger(Session& holder) {
  Challenger challenger = *std::exchange(holder.challenger, std::nullopt);
  parked_.erase(challenger.connection);
  return challenger;
}

/// Whoever waits for a held name on this connection is not there any more.
void Router::Impl::unpark(ConnectionId connection) {
  const auto at = parked_.find(connection);
  if (at != parked_.end()) (void)take_challenger(session_at(at->second));
}

void Router::Impl::welcome_new(ConnectionId connection, std::string_view name, Hello hello) {
  if (session_count >= limits.peers) {
    return refuse(
        connection, name, Outcome::kFull,
        fmt::format("{} peers are connected, limits.peers is {}", session_count, limits.peers),
        true);
  }
  if (reserved_ + orphan_cost_ + limits.credit_initial > budget() || over_memory()) {
    return refuse(connection, name, Outcome::kFull,
                  fmt::format("limits.memory ({} bytes) is used up", limits.memory), true);
  }
  const NameId known = directory.find(name);
  const SessionId expected = known == kNone ? kNone : directory.session(known);
  if (expected != kNone) --expected_count;
  Session& session = session_at(expected != kNone ? expected : new_session(name));
  session.hello = std::move(hello);
  session.hello.doubts = {};  // Of another session.
  session.epoch = next_epoch_++;
  session.since_wall_ns = now_.wall_ns;
  set_credit_size(session, first_credit(session.hello));
  session.credit = session.credit_size;
  session.last_payload = now_.steady_ns;
  const Remembered* latest = remembered(name);
  session.highest_id = void_ids(session, latest);
  if (latest != nullptr && latest->instance != session.hello.instance) latest = nullptr;
  const std::string& run = session.hello.run;
  if (!run.empty() && run != identity.run)
    session.expects_until = now_.steady_ns + limits.resume_ns;
  ++session_count;
  ++tally_.sessions;
  next_sweep_ = std::min(next_sweep_, now_.steady_ns + kSweepPeriod);

  Action& action = act(expected != kNone ? Op::kBind : Op::kOpen);
  action.session = session.id;
  action.connection = connection;
  bind(session, connection);
  std::optional<std::uint64_t> earlier_taken;
  if (latest != nullptr && latest->epoch == session.hello.epoch) earlier_taken = latest->taken;
  say_welcome(session, false, earlier_taken);
  log(LogLine::Level::kInfo,
      fmt::format("joined name={} instance={} software=\"{}\"", name, session.hello.instance,
                  core::quoted(session.hello.software)));
  note_session(session, SessionChange::kJoined, Outcome::kNone);
  tell_presence(session, "joined", "");
}

SessionId Router::Impl::new_session(std::string_view name) {
  SessionId id = 0;
  if (free_sessions_.empty()) {
    id = static_cast<SessionId>(sessions_.size());
    sessions_.emplace_back();
  } else {
    id = free_sessions_.back();
    free_sessions_.pop_back();
  }
  sessions_[id] = std::make_unique<Session>();
  Session& session = *sessions_[id];
  session.id = id;
  session.name = directory.acquire(name);
  directory.set_session(session.name, id);
  return id;
}

/// A sender that was here in an earlier run may be back before its recipients. What it sends to a
/// name that nobody holds waits then, as if the name's session were away. Not for one that came and
/// left.
bool Router::Impl::may_expect(const Session& sender, std::string_view name) const {
  if (now_.steady_ns >= sender.expects_until || expected_count >= limits.peers) return false;
  return remembered(name) == nullptr;
}

/// REQUIRES: may_expect().
void Router::Impl::expect(const Session& sender, NameId name) {
  Session& session = session_at(new_session(std::string(directory.name(name))));
  session.state = Session::State::kExpected;
  session.stream.apart = true;  // Whoever comes may want a few only.
  session.away_since = now_.steady_ns;
  session.since_wall_ns = now_.wall_ns;
  ++expected_count;
  next_sweep_ = std::min(next_sweep_, now_.steady_ns + kSweepPeriod);
  act(Op::kOpen).session = session.id;
  log(LogLine::Level::kInfo,
      fmt::format("expected name={} by={}", name_of(session), name_of(sender)));
}

/// Nobody came.
void Router::Impl::give_up(Session& expected) {
  commit_ranges();
  log(LogLine::Level::kInfo, fmt::format("expected no more name={}", name_of(expected)));
  directory.set_session(expected.name, kNone);
  lose_stream(expected, Outcome::kNoPeer);
  act(Op::kDrop).session = expected.id;
  --expected_count;
  free_session(expected);
}

void Router::Impl::free_session(Session& session) {
  directory.release(session.name);
  free_sessions_.push_back(session.id);
  sessions_[session.id].reset();
}

void Router::Impl::resume(Session& session, ConnectionId connection, Hello hello) {
  const ConnectionId old = session.connection;
  note_doubts(session, hello.doubts, session.stream.handed_count);
  take(session, hello.taken, hello.outcomes);
  if (!session.hello.acks) settle_handed(session);  // Of this turn.
  if (old != kNone && old != connection) {
    unbind(session);
    act(Op::kExpel).connection = old;
  }
  session.hello.window_bytes = hello.window_bytes;
  session.hello.window_frames = hello.window_frames;
  session.hello.demand = hello.demand;
  session.hello.will = std::move(hello.will);
  const bool changed = session.hello.metadata != hello.metadata;
  session.hello.metadata = std::move(hello.metadata);
  Action& bound = act(Op::kBind);
  bound.session = session.id;
  bound.connection = connection;
  bind(session, connection);

  Stream& stream = session.stream;
  Action& rewind = act(Op::kRewind);
  rewind.session = session.id;
  rewind.count = stream.front_taken;
  if (stream.front_taken > 0) {
    stream.bundles.front().count -= stream.front_taken;
    stream.front_taken = 0;
  }
  stream.told.again = std::max(stream.told.again, stream.handed_count);
  stream.told.gone = stream.acked;
  stream.told.next = {};
  stream.handed = 0;
  stream.handed_bytes = 0;
  stream.handed_count = stream.acked;
  session.outcomes_sent = session.outcomes_acked;
  // Receipts on their way may be lost with the connection: say all of them again.
  for (const auto& [name, index] : session.pairs) {
    pairs_[index].told_id = 0;
    mark_dirty(index);
  }
  session.credit_due = true;
  session.shrink_to = 0;  // The welcome takes it back.
  session.said_credit = 0;
  session.last_receipt = INT64_MIN / 2;
  say_welcome(session, true);
  log(LogLine::Level::kInfo, fmt::format("resumed name={}", name_of(session)));
  note_session(session, SessionChange::kResumed, Outcome::kNone);
  if (changed) tell_presence(session, "changed", "");
  serve_offers(session);
}

void Router::Impl::say_welcome(Session& session, bool resumed,
                               std::optional<std::uint64_t> earlier_taken) {
  Hello& hello = session.hello;
  const auto capped = [](std::uint64_t wanted, std::uint64_t limit) {
    return wanted == 0 ? limit : std::min(wanted, limit);
  };
  hello.window_bytes = capped(hello.window_bytes, limits.window);
  hello.window_frames = capped(hello.window_frames, limits.window_frames);
  Stream& stream = session.stream;
  const std::uint64_t most = UINT64_MAX - stream.acked;
  stream.demand = stream.acked + std::min(hello.demand.value_or(most), most);
  stream.apart = hello.demand || hello.window_bytes < kBundleBytes;

  Welcome welcome;
  welcome.broker = identity.name;
  welcome.run = identity.run;
  welcome.epoch = session.epoch;
  welcome.resumed = resumed;
  welcome.first_id = next_first_id();
  welcome.highest_id = session.highest_id;
  welcome.received = session.received_cost;
  welcome.credit = session.credit;
  welcome.pair = session.pair_limit;
  welcome.taken = session.stream.acked;
  welcome.outcomes = session.outcomes_acked;
  welcome.window_bytes = hello.window_bytes;
  welcome.max_envelope_bytes = limits.max_envelope;
  welcome.max_frame_bytes = limits.max_frame();
  welcome.heartbeat_ms = static_cast<std::uint64_t>(limits.heartbeat_ns / kMillisecond);
  welcome.silence_ms = static_cast<std::uint64_t>(limits.silence_ns / kMillisecond);
  welcome.resume_ms = static_cast<std::uint64_t>(limits.resume_ns / kMillisecond);
  welcome.time_ns = clock();
  welcome.earlier_taken = earlier_taken;
  const std::size_t begin = out_->arena.size();
  const ByteBuffer body = encode(welcome);
  append_envelope(out_->arena, {.kind = Kind::kWelcome, .to = name_of(session), .body = body});
  control_frame(session.connection, kNone, begin);
}

/// Above the clock and above every id ever seen or given.
std::uint64_t Router::Impl::next_first_id() {
  id_base_ = std::max(id_base_, now_.wall_ns);
  id_floor = std::max(now_.wall_ns, id_floor + identity.id_gap);
  if (next_broker_id_ == 0) next_broker_id_ = id_floor;
  return id_floor;
}

// ---- Connections come and go
// ---------------------------------------------------------------------

void Router::Impl::bind(Session& session, ConnectionId connection) {
  if (connection >= by_connection_.size()) by_connection_.resize(connection + 1, kNone);
  by_connection_[connection] = session.id;
  session.connection = connection;
  session.state = Session::State::kActive;
  session.last_heard = session.last_ping = now_.steady_ns;
  session.blocked_since = session.retry_at = 0;
  told_stranger_.erase(connection);
  touch(session);
}

void Router::Impl::unbind(Session& session) {
  if (session.connection == kNone) return;
  by_connection_[session.connection] = kNone;
  session.connection = kNone;
  act(Op::kUnbind).session = session.id;
}

/// The connection stays bound: frames may still be readable, and then the session is back.
void Router::Impl::make_away(Session& session, std::string_view why) {
  if (session.state == Session::State::kAway) return;
  session.state = Session::State::kAway;
  session.away_since = now_.steady_ns;
  log(LogLine::Level::kInfo,
      fmt::format("away name={} why=\"{}\"", name_of(session), core::quoted(why)));
  note_session(session, SessionChange::kAway, Outcome::kNone);
}

// ---- Over
// ----------------------------------------------------------------------------------------

/// Ends a session in words, then its connection. What is settled by now is told before.
void Router::Impl::end(Session& session, Outcome code, std::string_view text, bool retry) {
  const ConnectionId connection = session.connection;
  if (connection != kNone) {
    commit_ranges();  // Of this frame.
    tell_all(session);
    refuse(connection, name_of(session), code, text, retry);
    act(Op::kExpel).connection = connection;
  }
  over(session, code, outcome_name(code));
}

/// The session is no more: its envelopes are lost, its name is free, whoever watches is told.
/// `reason`: in a word, for people.
void Router::Impl::over(Session& session, Outcome why, std::string_view reason) {
  if (session.state == Session::State::kExpected) return give_up(session);
  log(LogLine::Level::kInfo, fmt::format("left name={} why={}", name_of(session), reason));
  commit_ranges();  // Of this frame: they may go to it or come from it.
  note_session(session, SessionChange::kOver, why);
  unbind(session);
  directory.set_session(session.name, kNone);
  unsubscribe_all(session);
  withdraw_all(session);
  lose_stream(session, Outcome::kLost);
  end_held(session);
  end_asked(session);
  orphan_pairs(session);
  remember(session);
  set_credit_size(session, 0);
  watch_nothing(session);
  close_tap(session);
  act(Op::kDrop).session = session.id;
  tell_presence(session, "left", reason);
  if (why != Outcome::kNone && !draining) send_will(session);
  serve_due();

  const std::string name(name_of(session));
  std::optional<Challenger> challenger;
  if (session.challenger) challenger = take_challenger(session);
  --session_count;
  free_session(session);
  if (challenger) admit(challenger->connection, name, std::move(challenger->hello));
}

/// Everything on its way to the session fails, and its senders are told.
void Router::Impl::lose_stream(Session& session, Outcome why) {
  Stream& stream = session.stream;
  for (; !stream.runs.empty(); stream.runs.pop_front()) {
    const Run run = stream.runs.front();
    if (run.pair == kCallCopy) {
      recall(run.stride, why);
      continue;
    }
    uncharge_run(run, run.count);
    if (run.pair == kUncounted) continue;
    accounting.held -= run.count;
    if (run.pair >= kTopicCopy || pairs_[run.pair].sender == kNone) {
      lose_unheard(run, session, why);
    } else {
      lose_run(run, why);
    }
  }
  held_bytes -= stream.bytes;
  stream.bytes = stream.handed_bytes = 0;
  stream.bundles.clear();
  stream.handed = stream.front_taken = 0;
  stream.open = false;
  lose_topics(session, why);
}

/// Tells the sender of each envelope of the run.
void Router::Impl::lose_run(const Run& run, Outcome why, Detail detail) {
  Pair& pair = pairs_[run.pair];
  const std::uint64_t cost = cost_of(run.size);
  pair.held_count -= run.count;
  pair.held_cost -= run.count * cost;
  Session& sender = session_at(pair.sender);
  for (std::uint32_t i = 0; i < run.count; ++i) {
    const bool is_request = run.kind == static_cast<std::uint8_t>(Kind::kRequest);
    if (is_request && !forget_request(sender, run.id(i))) {
      lose_answered(sender, run.pair, run.id(i), cost, why);
    } else {
      fail(sender, {run.pair, run.id(i), run.kind, cost, why, detail});
    }
  }
}

/// A failure that no sender is there to hear of: the broker's own, or one that is gone.
void Router::Impl::lose_unheard(const Run& run, const Session& recipient, Outcome why) {
  accounting.fail(why, run.count);
  if (noting()) note_unheard(run, recipient, why);
  if (run.pair >= kTopicCopy) return;
  Pair& pair = pairs_[run.pair];
  const std::uint64_t cost = run.count * cost_of(run.size);
  pair.held_count -= run.count;
  pair.held_cost -= cost;
  orphan_cost_ -= cost;
  if (pair.held_count == 0) free_pair(run.pair);
}

/// What the session sent and others still hold lives on without a sender to tell.
void Router::Impl::orphan_pairs(Session& session) {
  for (const auto& [name, index] : session.pairs) {
    Pair& pair = pairs_[index];
    pair.dirty = false;
    pair.sender = kNone;
    if (pair.held_count == 0) {
      free_pair(index);
    } else {
      orphan_cost_ += pair.held_cost;
    }
  }
  session.pairs.clear();
  session.dirty_pairs.clear();
  session.topics_pair = kNoPair;
  session.outcomes.clear();
  session.answers = 0;
}

const Remembered* Router::Impl::remembered(std::string_view name) const {
  const auto at = remembered_.find(std::string(name));
  return at == remembered_.end() ? nullptr : &at->second;
}

/// The id up to which nothing of this instance is accepted. If `latest`, the name's latest session,
/// was its own, the highest that arrived. If another instance had the name since, or that is
/// forgotten, all ids until now: recipients take those below the other's for repetitions. So they
/// do with what an instance of an earlier run brings.
std::uint64_t Router::Impl::void_ids(const Session& session, const Remembered* latest) {
  if (latest != nullptr && latest->instance == session.hello.instance) return latest->highest_id;
  const bool was_here = session.hello.run == identity.run;
  const bool came_too_late = latest != nullptr && !session.hello.run.empty();
  return was_here || came_too_late ? next_first_id() : 0;
}

/// So that the same instance, back in a new session, is told what of its own arrived.
void Router::Impl::remember(const Session& session) {
  id_floor = std::max(id_floor, session.highest_id);
  std::string name(name_of(session));
  remembered_.insert_or_assign(name, Remembered{session.hello.instance, session.epoch,
                                                session.highest_id, session.stream.acked});
  remembered_order_.emplace_back(std::move(name), session.epoch);
  if (remembered_order_.size() <= std::max(kMinRemembered, limits.peers)) return;
  const auto& [oldest, epoch] = remembered_order_.front();
  const auto at = remembered_.find(oldest);
  if (at != remembered_.end() && at->second.epoch == epoch) remembered_.erase(at);
  remembered_order_.pop_front();
}

}  // namespace zpost::core
