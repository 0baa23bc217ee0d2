// What comes in: frames of sessions and of strangers, and what happens to connections.
#include <fmt/format.h>

#include <algorithm>

#include "broker/core/router_impl.h"
#include "broker/core/text.h"

namespace zpost::core {

Router::Impl::Impl(const Limits& limits_given, BrokerIdentity identity_given)
    : limits(limits_given),
      identity(std::move(identity_given)),
      id_floor(identity.id_floor),
      id_base_(identity.id_floor) {}

Session* Router::Impl::session_of(ConnectionId connection) {
  if (connection >= by_connection_.size()) return nullptr;
  const SessionId id = by_connection_[connection];
  return id == kNone ? nullptr : sessions_[id].get();
}

void Router::Impl::on_frame(ConnectionId connection, std::string_view name, Bytes frame) {
  Session* session = session_of(connection);
  if (session == nullptr) return on_stranger(connection, name, frame);

  heard(*session);
  frame_ = frame;
  handed_before_ = session->stream.handed_count;
  retained_steps_ = 0;
  route_ = kNoPair;
  knows_topic_ = false;
  FrameReader reader(frame);
  EnvelopeView view;
  bool lives = true;
  while (lives && reader.next(view)) {
    if (is_payload(view.kind())) {
      payload(*session, view);
      lives = session->violations < limits.violations;
      if (!lives) end_violator(*session);
    } else {
      lives = control(*session, view);
    }
  }
  commit_ranges();
  if (lives && session->outstanding() > 0) watch_flow(*session, route_);
  if (lives) id_floor = std::max(id_floor, session->highest_id);
  if (lives && reader.failed()) end(*session, Outcome::kMalformed, reader.error_text(), false);
}

void Router::Impl::on_stranger(ConnectionId connection, std::string_view name, Bytes frame) {
  if (frame.empty()) return;
  FrameReader reader(frame);
  EnvelopeView view;
  if (!reader.next(view)) {
    if (told_lately(connection)) return;
    return refuse(connection, name, Outcome::kMalformed, reader.error_text(), false);
  }
  if (view.kind() == Kind::kHello) return on_hello(connection, name, view);
  if (view.kind() == Kind::kGoodbye) return;

  if (told_lately(connection)) return;
  refuse(connection, name, Outcome::kNotWelcomed, "say hello first (SPEC.md, section 5)", true);
}

/// Whether a stranger was refused within the last second: a peer with a full pipe of payload must
/// not be answered frame by frame. If not, it is now.
bool Router::Impl::told_lately(ConnectionId connection) {
  std::int64_t& told = told_stranger_.try_emplace(connection, -kSecond).first->second;
  if (now_.steady_ns - told < kSecond) return true;
  told = now_.steady_ns;
  return false;
}

void Router::Impl::on_multipart(ConnectionId connection) {
  constexpr std::string_view kText = "a message must be one frame; this one had several parts";
  Session* session = session_of(connection);
  if (session == nullptr) {
    if (!told_lately(connection)) refuse(connection, "", Outcome::kMalformed, kText, false);
    return;
  }
  end(*session, Outcome::kMalformed, kText, false);
}

void Router::Impl::on_bad_identity(ConnectionId connection) {
  if (told_lately(connection)) return;
  refuse(connection, "", Outcome::kBadIdentity,
         "the socket's identity must be NAME~TOKEN, TOKEN being 32 lowercase hex digits", false);
}

void Router::Impl::on_disconnected(ConnectionId connection) {
  unpark(connection);
  Session* session = session_of(connection);
  if (session != nullptr && session->state == Session::State::kActive) {
    make_away(*session, "connection lost");
  }
}

void Router::Impl::on_handover(ConnectionId connection) {
  unpark(connection);
  Session* session = session_of(connection);
  if (session == nullptr) return;
  make_away(*session, "its identity came back on another connection");
  unbind(*session);
}

void Router::Impl::forget_connection(ConnectionId connection) {
  unpark(connection);
  told_stranger_.erase(connection);
  if (Session* session = session_of(connection)) {
    session->connection = kNone;
    if (session->state == Session::State::kActive) {
      session->state = Session::State::kAway;
      session->away_since = now_.steady_ns;
    }
  }
  if (connection < by_connection_.size()) by_connection_[connection] = kNone;
  if (connection < addresses_.size()) addresses_[connection].clear();
}

void Router::Impl::set_address(ConnectionId connection, std::string_view address) {
  if (connection >= addresses_.size()) addresses_.resize(connection + 1);
  addresses_[connection] = address;
}

void Router::Impl::heard(Session& session) {
  session.last_heard = now_.steady_ns;
  if (session.challenger) refuse_challenger(session, "the holder answered");
  if (session.state != Session::State::kAway) return;
  // A frame that was still readable, or a peer that was silent for a while and is back.
  session.state = Session::State::kActive;
  session.blocked_since = 0;
  log(LogLine::Level::kInfo, fmt::format("peer_back name={}", name_of(session)));
  note_session(session, SessionChange::kResumed, Outcome::kNone);
  touch(session);
  serve_offers(session);
}

/// One envelope that is no payload. False: the session is over.
bool Router::Impl::control(Session& session, const EnvelopeView& view) {
  if (view.from != name_of(session)) {
    violation(session, "from is not the connection's name");
  } else {
    switch (view.kind()) {
      case Kind::kPing:
        if (view.body.size() > kMaxPingBytes) {
          violation(session, "a ping's body is longer than 64 bytes");
          break;
        }
        session.pong.assign(view.body.begin(), view.body.end());
        session.pong_due = true;
        touch(session);
        break;
      case Kind::kPong:
        if (as_text(view.body) == std::to_string(session.pings)) {
          session.read_until = session.latest_ping;
        }
        break;
      case Kind::kAck:
        on_ack(session, view);
        break;
      case Kind::kDoubt:
        on_doubt(session, view);
        break;
      case Kind::kWatch:
        on_watch(session, view);
        break;
      case Kind::kDescribe:
        on_describe(session, view);
        break;
      case Kind::kSubscribe:
        on_subscribe(session, view);
        break;
      case Kind::kUnsubscribe:
        on_unsubscribe(session, view);
        break;
      case Kind::kOffer:
        on_offer(session, view);
        break;
      case Kind::kWithdraw:
        on_withdraw(session, view);
        break;
      case Kind::kCancel:
        on_cancel(session, view);
        break;
      case Kind::kHello:
        violation(session, "hello within a session");
        break;
      case Kind::kGoodbye: {
        commit_ranges();
        const auto counts = decode_goodbye(view.body);
        if (counts && counts->taken <= handed_before_) {
          take(session, counts->taken, counts->outcomes);
        }
        over(session, Outcome::kNone, "goodbye");
        return false;
      }
      default:
        violation(session, "a kind this broker does not serve");
    }
  }
  if (session.violations < limits.violations) return true;
  end_violator(session);
  return false;
}

void Router::Impl::on_ack(Session& session, const EnvelopeView& view) {
  const auto ack = decode_ack(view.body);
  if (!ack) return violation(session, ack.error().text);
  if (ack->taken > handed_before_ || ack->outcomes > session.outcomes_sent) {
    return violation(session, "an ack beyond what was sent");
  }
  take(session, ack->taken, ack->outcomes);
  if (ack->credit > 0) {
    adopt_credit(session, ack->credit);
    session.said_credit = ack->credit;
    if (ack->demand) session.stream.demand = *ack->demand;
  }
  touch(session);
}

/// Goes before the ack that covers it.
void Router::Impl::on_doubt(Session& session, const EnvelopeView& view) {
  const auto doubt = decode_doubt(view.body);
  if (!doubt) return violation(session, doubt.error().text);
  note_doubts(session, doubt->ranges, handed_before_);
}

void Router::Impl::end_violator(Session& session) {
  end(session, Outcome::kViolations,
      fmt::format("{} violations, limits.violations is {}; the last: {}", session.violations,
                  limits.violations, session.last_violation),
      false);
}

void Router::Impl::violation(Session& session, std::string_view what) {
  ++session.violations;
  ++tally_.violations;
  session.last_violation = what;
  log(LogLine::Level::kDebug,
      fmt::format("violation name={} count={} what=\"{}\"", name_of(session), session.violations,
                  core::quoted(what)));
}

/// Answers a connection that has no session.
void Router::Impl::refuse(ConnectionId connection, std::string_view name, Outcome code,
                          std::string_view text, bool retry) {
  const std::size_t begin = out_->arena.size();
  const ByteBuffer body = encode(Refusal{code, std::string(text), retry});
  append_envelope(out_->arena, {.kind = Kind::kRefused, .to = name, .body = body});
  control_frame(connection, kNone, begin);
  ++tally_.refused_by[static_cast<std::size_t>(code)];
  log(LogLine::Level::kInfo, fmt::format("refused name={} code={} text=\"{}\"", name,
                                         outcome_name(code), core::quoted(text)));
  if (noting()) {
    const NameId known = directory.find(name);
    TapRecord& record =
        note(TapEvent::kSession, known == kNone ? kBrokerName : known, kBrokerName, 0).record;
    record.code = static_cast<std::uint16_t>(SessionChange::kRefused);
    record.first_id = static_cast<std::uint64_t>(code);
  }
}

// ---- The public face
// -----------------------------------------------------------------------------

Router::Router(const Limits& limits, BrokerIdentity identity)
    : impl_(std::make_unique<Impl>(limits, std::move(identity))) {}

Router::~Router() = default;

void Router::on_frame(ConnectionId connection, std::string_view name, Bytes frame, Now now,
                      Actions& out) {
  impl_->begin(now, out);
  impl_->on_frame(connection, name, frame);
}

void Router::on_multipart(ConnectionId connection, Now now, Actions& out) {
  impl_->begin(now, out);
  impl_->on_multipart(connection);
}

void Router::on_bad_identity(ConnectionId connection, Now now, Actions& out) {
  impl_->begin(now, out);
  impl_->on_bad_identity(connection);
}

void Router::on_disconnected(ConnectionId connection, Now now, Actions& out) {
  impl_->begin(now, out);
  impl_->on_disconnected(connection);
}

void Router::on_handover(ConnectionId connection, Now now, Actions& out) {
  impl_->begin(now, out);
  impl_->on_handover(connection);
}

void Router::on_connection_forgotten(ConnectionId connection) {
  impl_->forget_connection(connection);
}

void Router::flush(Now now, Actions& out) {
  impl_->begin(now, out);
  impl_->flush();
}

void Router::on_executed(std::span<const Blocked> blocked, Now now, Actions& out) {
  impl_->begin(now, out);
  impl_->on_executed(blocked);
}

void Router::tick(Now now, Actions& out) {
  impl_->begin(now, out);
  impl_->tick();
}

std::int64_t Router::next_deadline() const {
  return impl_->next_deadline();
}

void Router::drain(Now now, Actions& out) {
  impl_->begin(now, out);
  impl_->drain();
}

void Router::farewell(Now now, Actions& out) {
  impl_->begin(now, out);
  impl_->farewell();
}

bool Router::drained() const {
  return impl_->session_count == 0;
}

bool Router::send_from_broker(SessionId session, std::string_view content_type, Bytes body, Now now,
                              Actions& out) {
  impl_->begin(now, out);
  return impl_->send_from_broker(session, content_type, body);
}

void Router::set_filter_check(FilterCheck check) {
  impl_->filter_check = std::move(check);
}

void Router::set_tap(TapDetail detail) {
  impl_->tap_detail = detail;
}

void Router::set_process_memory(std::uint64_t bytes) {
  impl_->process_memory = bytes;
}

void Router::set_recorder(RecorderNumbers numbers) {
  impl_->recorder = numbers;
}

std::string_view Router::name_of(std::uint32_t number) const {
  return impl_->directory.has(number) ? impl_->directory.name(number) : std::string_view{};
}

const Accounting& Router::accounting() const {
  return impl_->accounting;
}

void Router::set_address(ConnectionId connection, std::string_view address) {
  impl_->set_address(connection, address);
}

bool Router::senders_differ() const {
  return impl_->senders_differ();
}

std::size_t Router::sessions() const {
  return impl_->session_count;
}

std::size_t Router::expected() const {
  return impl_->expected_count;
}

std::size_t Router::pairs() const {
  return impl_->pairs();
}

std::size_t Router::waiting_calls() const {
  return impl_->waiting_calls;
}

std::uint64_t Router::held_bytes() const {
  return impl_->held_bytes;
}

std::uint64_t Router::gap_bytes() const {
  return impl_->gap_bytes;
}

std::uint64_t Router::id_floor() const {
  return impl_->id_floor;
}

const Limits& Router::limits() const {
  return impl_->limits;
}

}  // namespace zpost::core
