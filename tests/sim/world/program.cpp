#include "tests/sim/world/program.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tests/broker/core/support/describe.h"
#include "tests/sim/rules.h"
#include "zpost/protocol/msgpack_writer.h"

namespace zpost::sim {

using peer::Draft;
using peer::State;

namespace {

constexpr Moment kCycle = 2 * kMilli;  // Of the library's background thread, when it has work.
constexpr std::size_t kRoundsOfCallbacks = 64;  // Then others have their turn.

std::string instance_digits(InstanceId instance) {
  return fmt::format("{:032x}", instance + 1);
}

}  // namespace

Program::Program(Settings settings, Books& books, BrokerHost& broker, Tell tell)
    : settings_(std::move(settings)),
      books_(books),
      book_(books.letters),
      broker_(broker),
      tell_(std::move(tell)),
      dice_(settings_.seed),
      instance_(book_.add_instance(settings_.options.name)),
      state_(settings_.options, instance_digits(instance_), pool_, *this) {
  books_.notices.add_instance(instance_, name());
  books_.calls.add_instance(instance_, name());
}

std::string Program::title() const {
  return fmt::format("{}/{}", name(), instance_);
}

bool Program::quiet() const {
  return waiting_.empty() && state_.unsettled() == 0 && state_.inbox().empty();
}

// ---- The socket
// ----------------------------------------------------------------------------------

void Program::send(peer::FrameRef frame) {
  if (deferred_ > 0) note_deferred_ids(frame.bytes());
  if (wire_ != nullptr) wire_->send_up(now_, std::string(as_text(frame.bytes())));
}

/// A reply that waited has an id by now.
void Program::note_deferred_ids(Bytes frame) {
  FrameReader reader(frame);
  EnvelopeView view;
  while (reader.next(view)) {
    const Serial serial = view.kind() == Kind::kReply ? serial_in(view.body) : 0;
    if (serial != 0) book_.note_id(serial, view.id);
  }
}

void Program::send_control(Bytes frame) {
  if (wire_ != nullptr) wire_->send_up(now_, std::string(as_text(frame)));
}

bool Program::busy() {
  return wire_ != nullptr && wire_->unsent() > 0;
}

void Program::connect_if_due() {
  if (state_.phase() != State::Phase::kDown || wire_ != nullptr) return;
  if (to_peer_time(now_) < state_.retry_at()) return;
  Wire::Nature nature;
  nature.seed = dice_.below(UINT64_MAX);
  nature.delay = static_cast<Moment>(dice_.between(20, 200)) * kMicrosecond;
  if (dice_.once_in(4)) nature.jitter = static_cast<Moment>(dice_.between(1, 20)) * kMilli;
  if (dice_.once_in(4)) nature.held_by_tcp = dice_.between(1, 4);
  const std::size_t room = dice_.once_in(4) ? dice_.between(1, 8) : 1000;
  wire_ = std::make_shared<Wire>(name(), nature);
  ++connections_;
  if (broker_.runs()) {
    say("connects");
    broker_.accept(wire_, room);
  } else {
    refused_at_ = now_ + nature.delay;
  }
  state_.opened(to_peer_time(now_));
}

void Program::notice_loss() {
  if (wire_ == nullptr) return;
  std::string why = wire_->loss(now_);
  if (now_ >= refused_at_) why = "nobody listens there";
  if (why.empty()) return;
  receive_frames();  // The news overtakes what was received before the loss.
  if (wire_ != nullptr) state_.lost(why);
}

/// Whatever the library does with a connection it gave up.
void Program::follow_phase() {
  if (wire_ == nullptr) return;
  if (state_.phase() != State::Phase::kDown && state_.phase() != State::Phase::kOver) return;
  wire_->close_by_program(now_, false);
  wire_.reset();
  refused_at_ = kNeverComes;
}

// ---- Turns
// ---------------------------------------------------------------------------------------

void Program::advance(Moment now) {
  now_ = now;
  if (stopped_ || over_) return;
  last_turn_ = now;
  receive_frames();
  notice_loss();
  state_.tick(to_peer_time(now));
  go_on_sending();
  flush_lingering();
  follow_phase();
  connect_if_due();
  dispatch();
  if (settings_.reading == Reading::kCallback) run_callbacks();
  dispatch();
  check_statistics();
  if (state_.phase() == State::Phase::kOver) end(LetterBook::End::kOver);
}

Moment Program::next() const {
  if (stopped_ || over_) return kNeverComes;
  Moment next = from_peer_time(state_.next_tick());
  if (state_.phase() == State::Phase::kDown && wire_ == nullptr) {
    next = std::min(next, from_peer_time(state_.retry_at()));
  }
  if (state_.ack_wanted() || state_.has_open_frame()) next = std::min(next, last_turn_ + kCycle);
  if (wire_ != nullptr) next = std::min(next, wire_->next_for_program());
  return std::min(next, refused_at_);
}

void Program::receive_frames() {
  if (wire_ == nullptr) return;
  for (std::string& frame : wire_->receive_down(now_)) handle(std::move(frame));
}

void Program::handle(std::string frame) {
  const State::Phase phase = state_.phase();
  if (phase == State::Phase::kDown || phase == State::Phase::kOver) return;  // Its socket is gone.
  if (tell_) {
    for (const std::string& line : core::test::describe(frame)) {
      if (line != "ping") say("<- {}", line);
    }
  }
  if (phase == State::Phase::kActive) note_arrivals(frame);
  const auto kept = std::make_shared<const std::string>(std::move(frame));
  state_.handle(as_bytes(*kept), kept);
  if (phase == State::Phase::kGreeting && active()) {
    const std::uint64_t run = std::stoull(state_.welcome().run, nullptr, 16);
    book_.note_run(instance_, run);
    books_.notices.note_run(instance_, run);
    books_.calls.note_run(instance_, run);
  }
}

void Program::note_arrivals(std::string_view frame) {
  FrameReader reader(as_bytes(frame));
  EnvelopeView view;
  while (reader.next(view)) {
    const bool in_group = view.kind() == Kind::kPublish || view.kind() == Kind::kCall;
    if (is_payload(view.kind()) && !view.from.empty() && !in_group) {
      book_.note_arrived(instance_, view);
    }
  }
}

void Program::flush_lingering() {
  if (!state_.has_open_frame()) return;
  const bool waited = open_frame_seen_ == state_.frames_closed();
  open_frame_seen_ = state_.frames_closed();
  if (waited || !busy()) state_.flush();
}

/// The library's own accounts, as Statistics promises.
void Program::check_statistics() const {
  const peer::Statistics s = state_.statistics();
  const std::uint64_t known = s.delivered + s.unconfirmed + s.failed + s.unsettled;
  // Replies that wait are unsettled before they are sent.
  insist(known >= s.sent && known <= s.sent + deferred_, "the library's accounts", [&] {
    return fmt::format("{}: {} sent, but {} delivered, {} failed and {} unsettled", title(), s.sent,
                       s.delivered, s.failed, s.unsettled);
  });
}

// ---- What the library tells
// ----------------------------------------------------------------------

void Program::dispatch() {
  while (const auto report = state_.reports().next()) {
    say("hears: #{} to {} {}", report->id, report->to, outcome_name(report->outcome));
    on_report(*report);
  }
  for (; !state_.changes().empty(); state_.changes().pop_front()) {
    on_change(state_.changes().front());
  }
  for (peer::Resolved& each : std::exchange(state_.resolved(), {})) {
    each.resolver(std::move(each.answer));
  }
  if (!state_.presences().empty()) state_.presences().clear();
  if (!state_.cancellations().empty()) state_.cancellations().clear();
}

void Program::on_change(const peer::StateChange& change) {
  using Change = peer::StateChange::State;
  if (change.state == Change::kConnected) {
    say("is connected{}{}", change.resumed ? ", resumed" : "", change.new_run ? ", new run" : "");
    if (!change.resumed) book_.note_new_session(instance_);
  } else if (change.state != Change::kClosed) {
    insist(change.code != Outcome::kReplaced || settings_.newest_wins || troubled_,
           "who answers keeps its name", [&] { return title() + ": " + change.text; });
    say("lost its session: {} {}", outcome_name(change.code), change.text);
  }
}

void Program::end(LetterBook::End how) {
  over_ = true;
  waiting_.clear();
  book_.end_instance(instance_, how);
  books_.notices.end_instance(instance_, how);
  books_.calls.end_instance(instance_, how);
}

// ---- Sending
// -------------------------------------------------------------------------------------

bool Program::try_send(const std::string& to, std::size_t size, bool in_callback) {
  const Serial serial = book_.write(instance_, to, Kind::kSend);
  const std::string body = letter_body(serial, size);
  const Draft draft{.kind = Kind::kSend, .to = to, .body = as_bytes(body), .meta = {}};
  if (state_.invalid(draft)) {
    book_.forget(serial);
    return true;
  }
  const auto id = state_.try_send(draft);
  if (!id) {
    if (in_callback) state_.flush();  // As a call does that may not wait.
    book_.forget(serial);
    return false;
  }
  book_.note_id(serial, *id);
  say("sends letter {} (#{}) to {}", serial, *id, to);
  return true;
}

void Program::send(std::string to, std::size_t count, std::size_t size) {
  if (over_) return;
  for (; count > 0; --count) waiting_.push_back({to, size});
  go_on_sending();
}

void Program::go_on_sending() {
  if (closed() || stopped_) return;
  while (!waiting_.empty() && try_send(waiting_.front().to, waiting_.front().size, false)) {
    waiting_.pop_front();
  }
  // Whoever waits gets what it wrote so far going.
  if (!waiting_.empty()) state_.flush();
}

void Program::send_span(const std::string& to, std::size_t count, std::size_t size) {
  if (closed() || !waiting_.empty()) return;
  std::vector<std::string> bodies;
  std::vector<Serial> serials;
  for (; bodies.size() < count;) {
    serials.push_back(book_.write(instance_, to, Kind::kSend));
    bodies.push_back(letter_body(serials.back(), size));
  }
  std::vector<Bytes> views;
  for (const std::string& body : bodies) views.push_back(as_bytes(body));
  const std::uint64_t first = state_.next_id();
  const Draft longest{.kind = Kind::kSend, .to = to, .body = views.front(), .meta = {}};
  const std::size_t sent = state_.invalid(longest) ? 0 : state_.try_send(longest, views);
  say("sends a span of {} of {} letters from {} (#{}) on to {}", sent, count, serials.front(),
      first, to);
  for (std::size_t i = 0; i < sent; ++i) book_.note_id(serials[i], first + i);
  for (std::size_t i = count; i > sent; --i) book_.forget(serials[i - 1]);
}

bool Program::request(const std::string& to, std::size_t size, Moment timeout) {
  if (closed() || !waiting_.empty()) return false;
  const Serial serial = book_.write(instance_, to, Kind::kRequest);
  const std::string body = letter_body(serial, size);
  const Draft draft{.kind = Kind::kRequest, .to = to, .body = as_bytes(body), .meta = {}};
  const auto id = state_.invalid(draft) ? std::nullopt : state_.try_send(draft);
  if (!id) {
    book_.forget(serial);
    return false;
  }
  book_.note_id(serial, *id);
  say("requests with letter {} (#{}) from {}", serial, *id, to);
  const peer::Asked asked{.id = *id, .to = to, .deadline = to_peer_time(now_ + timeout)};
  state_.expect_reply(asked, [this, serial](auto answer) {
    say("hears of request {}: {}", serial, answer ? "a reply" : answer.error().text);
    book_.note_answer(serial, answer);
  });
  return true;
}

bool Program::ask(std::string_view op, Moment timeout) {
  if (closed() || !waiting_.empty()) return false;
  const Serial serial = book_.write(instance_, "", Kind::kRequest);
  ByteBuffer body;
  MsgpackWriter(body).map(1).str("op").str(op);
  const Draft draft{.kind = Kind::kRequest, .to = "", .body = body, .meta = {}};
  const auto id = state_.try_send(draft);
  if (!id) {
    book_.forget(serial);
    return false;
  }
  book_.note_id(serial, *id);
  const peer::Asked asked{.id = *id, .to = "", .deadline = to_peer_time(now_ + timeout)};
  state_.expect_reply(asked, [this, serial](auto answer) { book_.note_answer(serial, answer); });
  return true;
}

void Program::flush() {
  if (!over_) state_.flush();
}

// ---- Receiving
// -----------------------------------------------------------------------------------

void Program::begin_receive() {
  if (settings_.options.take != peer::TakeMode::kOnNextReceive) return;
  book_.note_taken(instance_);
  state_.inbox().take();
  state_.ack_if_urgent();
}

void Program::run_callbacks() {
  for (std::size_t i = 0; i < kRoundsOfCallbacks && !over_; ++i) {
    begin_receive();
    if (settings_.options.take == peer::TakeMode::kExplicit) take();
    if (state_.inbox().empty() || state_.phase() == State::Phase::kOver) return;
    on_given(state_.inbox().give_one(given_));
  }
}

void Program::on_given(const EnvelopeView& view) {
  if (on_given_in_group(view) || view.from.empty()) return;
  say("is given #{} from {}: letter {}", view.id, view.from, serial_in(view.body));
  book_.note_given(instance_, view);
  if (settings_.reading != Reading::kCallback) return;
  if (view.kind() == Kind::kRequest && settings_.answers) reply_to(view);
  for (std::uint64_t i = 0; i < settings_.echoes && echoes_left_ > 0; ++i) {
    if (!waiting_.empty() || !try_send(std::string(view.from), view.body.size(), true)) return;
    --echoes_left_;
  }
}

void Program::reply_to(const EnvelopeView& view) {
  const std::string to(view.from);
  const Serial serial = book_.write(instance_, to, Kind::kReply);
  const std::string body = letter_body(serial, view.body.size());
  Draft draft{.kind = Kind::kReply, .to = to, .body = as_bytes(body), .meta = {}};
  draft.meta.in_reply_to = view.id;
  if (state_.invalid(draft)) return book_.forget(serial);
  if (const auto id = state_.try_send(draft)) {
    say("replies with letter {} (#{}) to {}", serial, *id, to);
    return book_.note_id(serial, *id);
  }
  state_.flush();
  if (!state_.defer(draft)) return book_.forget(serial);
  say("defers its reply, letter {} to {}", serial, to);
  ++deferred_;
  book_.note_deferred(serial);
}

void Program::receive(std::size_t count) {
  for (; count > 0 && !over_; --count) {
    begin_receive();
    if (state_.inbox().empty()) return;
    on_given(state_.inbox().give_one(given_));
  }
}

void Program::receive_batch(std::size_t most) {
  if (over_) return;
  begin_receive();
  if (state_.inbox().empty()) return;
  std::vector<EnvelopeView> views;
  std::vector<peer::Keeper> frames;
  state_.inbox().give(most, views, frames);
  for (const EnvelopeView& view : views) on_given(view);
}

void Program::take() {
  if (over_) return;
  book_.note_taken(instance_);
  state_.inbox().take();
  state_.ack_if_urgent();
}

void Program::add_demand(std::uint64_t count) {
  if (!over_) state_.add_demand(count);
}

void Program::watch(const std::string& pattern) {
  if (!over_) (void)state_.watch(pattern);
}

// ---- The end
// -------------------------------------------------------------------------------------

void Program::close() {
  if (over_) return;
  say("closes");
  if (settings_.options.take == peer::TakeMode::kOnNextReceive) {
    book_.note_taken(instance_);
    state_.inbox().take();
  }
  const bool heard = active();
  state_.close();
  dispatch();
  if (wire_ != nullptr) wire_->close_by_program(now_, heard);
  wire_.reset();
  end(LetterBook::End::kOver);
}

void Program::kill() {
  if (over_) return;
  say("is killed");
  if (wire_ != nullptr) wire_->close_by_program(now_, false);
  wire_.reset();
  end(LetterBook::End::kKilled);
}

void Program::stop(bool stopped) {
  if (over_ || stopped_ == stopped) return;
  say(stopped ? "stands still" : "goes on");
  stopped_ = stopped;
  note_trouble();
}

}  // namespace zpost::sim
