// What happens because time passes: heartbeats, silence, the end of `away`, challenges, draining.
#include <fmt/format.h>

#include <algorithm>

#include "broker/core/router_impl.h"

namespace zpost::core {

std::int64_t Router::Impl::next_deadline() const {
  std::int64_t next = std::min(next_sweep_, late_at_);
  if (const std::uint64_t due = exchanges_.next_deadline(); due != UINT64_MAX) {
    next = std::min(next, static_cast<std::int64_t>(due - clock_base_));
  }
  return next;
}

void Router::Impl::tick() {
  expire_exchanges();
  if (now_.steady_ns < next_sweep_) return;
  next_sweep_ = session_count + expected_count == 0 ? kNever : now_.steady_ns + kSweepPeriod;
  ++sweeps_;
  for (SessionId id = 0; id < sessions_.size(); ++id) {
    if (sessions_[id] != nullptr && is_due(*sessions_[id])) sweep(*sessions_[id]);
  }
  sweep_services();
}

/// Of thousands most are quiet: until something is due with one, it is looked after less often.
bool Router::Impl::is_due(const Session& session) const {
  const std::int64_t heard_ago = now_.steady_ns - session.last_heard;
  const bool silent = session.hello.pong && heard_ago >= limits.silence_ns;
  const bool quiet = session.state == Session::State::kActive && heard_ago >= kSecond && !silent &&
                     !ping_is_due(session) && !session.challenger && session.blocked_since == 0 &&
                     session.spent_since == 0 && !draining;
  return !quiet || (session.id + sweeps_) % kQuietSweeps == 0;
}

void Router::Impl::sweep(Session& session) {
  const std::int64_t now = now_.steady_ns;
  session.rates.measure(now, session.sent, session.taken);
  if (session.challenger && now >= session.challenger->deadline) {
    return end(session, Outcome::kReplaced,
               fmt::format("instance {} took the name over: the holder did not answer",
                           session.challenger->hello.instance),
               false);
  }
  if (session.challenger) next_sweep_ = std::min(next_sweep_, session.challenger->deadline);

  if (session.state == Session::State::kExpected) {
    if (now - session.away_since >= limits.resume_ns) give_up(session);
    return;
  }
  if (session.state == Session::State::kAway) {
    const std::int64_t patience = session.hello.resume ? limits.resume_ns : limits.simple_away_ns;
    if (now - session.away_since >= patience) {
      return end(session, Outcome::kSilent, "not heard of for too long", true);
    }
    return part(session);
  }
  if (session.hello.pong && now - session.last_heard >= limits.silence_ns) {
    return make_away(session, "silent");
  }
  if (session.blocked_since != 0 &&
      now - session.blocked_since >= std::max(limits.resume_ns, kSecond)) {
    return end(session, Outcome::kUnresponsive, "it does not read what it is sent", true);
  }
  if (now - session.pairs_swept >= kPairSweepPeriod) sweep_pairs(session);
  ping(session);
  shrink(session);
  tell_stall(session);
  part(session);
}

/// Draining, from a session that has nothing on its way.
void Router::Impl::part(Session& session) {
  const bool idle = session.stream.bytes == 0 && session.topics.bytes == 0 &&
                    session.outcomes.empty() && session.outstanding() == 0 &&
                    session.dirty_pairs.empty();
  if (draining && idle) {
    say_goodbye(session, Outcome::kDraining, "the broker is shutting down");
  }
}

bool Router::Impl::ping_is_due(const Session& session) const {
  const std::int64_t quiet_since = std::max(session.last_heard, session.last_ping);
  return session.hello.pong && now_.steady_ns - quiet_since >= limits.heartbeat_ns;
}

void Router::Impl::ping(Session& session) {
  if (!ping_is_due(session)) return;
  session.last_ping = now_.steady_ns;
  session.ping_due = true;
  touch(session);
}

/// Takes unused credit back from a sender that has been quiet, once it has reported the total it
/// goes by; it is asked for that by being told the same total again. SPEC.md, section 7.
void Router::Impl::shrink(Session& session) {
  const bool idle = session.outstanding() == 0 && session.shrink_to == 0 &&
                    now_.steady_ns - session.last_payload >= limits.credit_idle_ns;
  if (!idle || session.credit_size <= limits.credit_initial) {
    session.credit_asked = false;
    return;
  }
  if (session.connection == kNone || session.retry_at > now_.steady_ns) return;
  if (!session.dirty_pairs.empty() || session.credit_due) return;
  if (session.said_credit >= session.credit) {
    session.shrink_to = session.settled_cost + limits.credit_initial;
    return tell_credit(session, session.shrink_to, limits.credit_initial / limits.pair_share);
  }
  if (session.credit_asked) return;
  session.credit_asked = true;
  tell_credit(session, session.credit, session.pair_limit);
}

void Router::Impl::tell_credit(Session& session, std::uint64_t credit, std::uint64_t pair) {
  const std::size_t begin = out_->arena.size();
  const ByteBuffer body = encode(Receipt{credit, pair, {}});
  append_envelope(out_->arena, {.kind = Kind::kCredit, .to = name_of(session), .body = body});
  session.told_nothing();  // Else, should the pipe be full.
  control_frame(session.connection, session.id, begin);
}

/// No new hellos and payload; who has nothing on its way is said goodbye to, the others as soon as
/// that is so.
void Router::Impl::drain() {
  if (draining) return;
  draining = true;
  log(LogLine::Level::kInfo, fmt::format("draining peers={}", session_count));
  next_sweep_ = now_.steady_ns;
  tick();
}

void Router::Impl::farewell() {
  draining = true;
  const auto each = [&](auto act_on) {
    for (SessionId id = 0; id < sessions_.size(); ++id) {
      if (sessions_[id] != nullptr) act_on(*sessions_[id]);
    }
  };
  // Everybody goes: nobody is told of that one by one.
  each([&](Session& session) { session.watches.clear(); });
  watchers_.clear();
  // A sender with copies hears what is settled, and repeats the rest to the broker's next run.
  // Others hear what is lost.
  each([&](Session& session) {
    if (session.hello.resume) tell_all(session);
  });
  each([&](Session& session) {
    const bool came = session.state != Session::State::kExpected;
    lose_stream(session, came ? Outcome::kLost : Outcome::kNoPeer);
  });
  each([&](Session& session) {
    if (!session.hello.resume) tell_all(session);
  });
  each([&](Session& session) {
    say_goodbye(session, Outcome::kDraining, "the broker is shutting down");
  });
}

/// The last outcomes and receipts of a session, now. As many as its pipe is sure to take.
void Router::Impl::tell_all(Session& session) {
  if (session.connection == kNone || session.state != Session::State::kActive) return;
  session.last_receipt = INT64_MIN / 2;
  for (int frames = 0; frames < kLastFrames; ++frames) {
    if (!flush_control(session, kNone)) return;
  }
}

/// Ends a session without an outcome for what is unsettled.
void Router::Impl::say_goodbye(Session& session, Outcome code, std::string_view text) {
  if (session.connection != kNone) {
    const std::size_t begin = out_->arena.size();
    const ByteBuffer body = encode(Refusal{code, std::string(text), true});
    append_envelope(out_->arena, {.kind = Kind::kGoodbye, .to = name_of(session), .body = body});
    control_frame(session.connection, kNone, begin);
  }
  over(session, code, outcome_name(code));
}

}  // namespace zpost::core
