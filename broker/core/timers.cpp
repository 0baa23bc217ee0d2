// What happens because time passes: heartbeats, silence, the end of `away`, challenges, draining.
#include <fmt/format.h>

#include <algorithm>

#include "broker/core/router_impl.h"

namespace zpost::core {

std::int64_t Router::Impl::next_deadline() const {
  return std::min(next_sweep_, late_at_);
}

void Router::Impl::tick() {
  if (now_.steady_ns < next_sweep_) return;
  next_sweep_ = session_count == 0 ? kNever : now_.steady_ns + kSweepPeriod;
  for (SessionId id = 0; id < sessions_.size(); ++id) {
    if (sessions_[id] != nullptr) sweep(*sessions_[id]);
  }
  if (told_stranger_.size() > limits.peers) told_stranger_.clear();
}

void Router::Impl::sweep(Session& session) {
  const std::int64_t now = now_.steady_ns;
  if (session.challenger && now >= session.challenger->deadline) {
    return end(session, Outcome::kReplaced,
               fmt::format("instance {} took the name over: the holder did not answer",
                           session.challenger->hello.instance),
               false);
  }
  if (session.challenger) next_sweep_ = std::min(next_sweep_, session.challenger->deadline);

  if (session.state == Session::State::kAway) {
    const std::int64_t patience = session.hello.resume ? limits.resume_ns : limits.simple_away_ns;
    if (now - session.away_since >= patience) {
      end(session, Outcome::kSilent, "not heard of for too long", true);
    }
    return;
  }
  if (session.hello.pong && now - session.last_heard >= limits.silence_ns) {
    return make_away(session, "silent");
  }
  if (session.blocked_since != 0 && now - session.blocked_since >= limits.resume_ns) {
    return end(session, Outcome::kUnresponsive, "it does not read what it is sent", true);
  }
  ping(session);
  shrink(session);
  if (draining && session.stream.bytes == 0 && session.outcomes.empty() &&
      session.outstanding() == 0) {
    say_goodbye(session, Outcome::kDraining, "the broker is shutting down");
  }
}

void Router::Impl::ping(Session& session) {
  if (!session.hello.pong) return;
  const std::int64_t quiet_since = std::max(session.last_heard, session.last_ping);
  if (now_.steady_ns - quiet_since < limits.heartbeat_ns) return;
  session.last_ping = now_.steady_ns;
  session.ping_due = true;
  touch(session);
}

/// Takes unused credit back from a sender that has been quiet, if it can say that it agrees.
void Router::Impl::shrink(Session& session) {
  const bool idle = session.outstanding() == 0 && session.shrink_to == 0 &&
                    now_.steady_ns - session.last_payload >= limits.credit_idle_ns;
  if (!idle || !session.says_credit || session.credit_size <= limits.credit_initial) return;
  if (session.connection == kNone || !session.dirty_pairs.empty() || session.credit_due) return;
  session.shrink_to = session.settled_cost + limits.credit_initial;
  const std::size_t begin = out_->arena.size();
  const ByteBuffer body =
      encode(Receipt{session.shrink_to, limits.credit_initial / limits.pair_share, {}});
  append_envelope(out_->arena, {.kind = Kind::kCredit, .to = name_of(session), .body = body});
  control_frame(session.connection, kNone, begin);
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
  for (SessionId id = 0; id < sessions_.size(); ++id) {
    if (sessions_[id] == nullptr) continue;
    say_goodbye(*sessions_[id], Outcome::kDraining, "the broker is shutting down");
  }
}

/// Ends a session without an outcome for what is unsettled: a sender with copies repeats it to the
/// broker's next run.
void Router::Impl::say_goodbye(Session& session, Outcome code, std::string_view text) {
  if (session.connection != kNone) {
    const std::size_t begin = out_->arena.size();
    const ByteBuffer body = encode(Refusal{code, std::string(text), true});
    append_envelope(out_->arena, {.kind = Kind::kGoodbye, .to = name_of(session), .body = body});
    control_frame(session.connection, kNone, begin);
  }
  over(session, code);
}

}  // namespace zpost::core
