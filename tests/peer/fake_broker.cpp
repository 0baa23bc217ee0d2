#include "tests/peer/fake_broker.h"

#include <zmq.h>

#include <algorithm>
#include <cassert>
#include <cstdio>
#include <utility>

#include "zpost/protocol/names.h"

namespace zpost::test {

FakeBroker::FakeBroker() : FakeBroker(Settings()) {}

FakeBroker::FakeBroker(Settings settings)
    : context_(zmq_ctx_new()), endpoint_("tcp://127.0.0.1:*"), settings_(settings) {
  run_ = std::string(31, '0') + "1";
  bind();
  thread_ = std::thread([this] { run(); });
}

FakeBroker::~FakeBroker() {
  at([this] { ending_ = true; });
  thread_.join();
  if (socket_ != nullptr) zmq_close(socket_);
  zmq_ctx_term(context_);
}

void FakeBroker::bind() {
  socket_ = zmq_socket(context_, ZMQ_ROUTER);
  const int zero = 0;
  const int one = 1;
  zmq_setsockopt(socket_, ZMQ_LINGER, &zero, sizeof zero);
  zmq_setsockopt(socket_, ZMQ_SNDHWM, &zero, sizeof zero);
  zmq_setsockopt(socket_, ZMQ_RCVHWM, &zero, sizeof zero);
  zmq_setsockopt(socket_, ZMQ_ROUTER_HANDOVER, &one, sizeof one);
  while (zmq_bind(socket_, endpoint_.c_str()) != 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // The port is still being closed.
  }
  char bound[128];
  std::size_t size = sizeof bound;
  zmq_getsockopt(socket_, ZMQ_LAST_ENDPOINT, bound, &size);
  endpoint_ = bound;
}

// --- The thread ----------------------------------------------------------------------------------

void FakeBroker::run() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    for (const auto* const step : std::exchange(steps_, {})) (*step)();
    done_.notify_all();
    zmq_msg_t part;
    zmq_msg_init(&part);
    while (!ending_ && socket_ != nullptr && zmq_msg_recv(&part, socket_, ZMQ_DONTWAIT) >= 0) {
      const std::string identity(static_cast<const char*>(zmq_msg_data(&part)),
                                 zmq_msg_size(&part));
      zmq_msg_recv(&part, socket_, 0);
      handle(identity, {static_cast<const std::byte*>(zmq_msg_data(&part)), zmq_msg_size(&part)});
    }
    zmq_msg_close(&part);
    flush_receipts();
    zmq_pollitem_t item{socket_, 0, ZMQ_POLLIN, 0};
    lock.unlock();
    zmq_poll(&item, socket_ != nullptr ? 1 : 0, 1);
    lock.lock();
  }
  done_.notify_all();
}

void FakeBroker::at(const std::function<void()>& step) {
  std::unique_lock lock(mutex_);
  bool stepped = false;
  const std::function<void()> counted = [&] {
    step();
    stepped = true;
  };
  steps_.push_back(&counted);
  done_.wait(lock, [&] { return stepped; });
}

void FakeBroker::write(const std::string& identity, Bytes frame) {
  if (socket_ == nullptr || dead_) return;
  zmq_send(socket_, identity.data(), identity.size(), ZMQ_SNDMORE | ZMQ_DONTWAIT);
  zmq_send(socket_, frame.data(), frame.size(), ZMQ_DONTWAIT);
}

void FakeBroker::say(const std::string& identity, Kind kind, Bytes body, std::uint64_t id) {
  EnvelopeFields fields;
  fields.kind = kind;
  fields.to = *name_of_identity(identity);
  fields.id = id;
  fields.body = body;
  ByteBuffer frame;
  append_envelope(frame, fields);
  write(identity, frame);
}

void FakeBroker::handle(const std::string& identity, Bytes frame) {
  ++frames_;
  const auto name = name_of_identity(identity);
  if (!name) return;
  FrameReader reader(frame);
  EnvelopeView view;
  while (reader.next(view)) on_envelope(std::string(*name), identity, view);
  if (reader.failed()) ++violations_;
  for (auto& [recipient, bytes] : std::exchange(bundles_, {})) {
    write(sessions_[recipient].identity, bytes);
  }
}

void FakeBroker::on_envelope(const std::string& name, const std::string& identity,
                             const EnvelopeView& view) {
  if (!is_payload(view.kind())) ++control_[{view.kind(), name}];
  if (view.kind() == Kind::kHello) return on_hello(name, identity, view);
  const auto found = sessions_.find(name);
  if (found == sessions_.end() || found->second.identity != identity) {
    ++violations_;
    say(identity, Kind::kRefused, encode(Refusal{Outcome::kNotWelcomed, "say hello", true}));
    return;
  }
  Session& session = found->second;
  switch (view.kind()) {
    case Kind::kPing:
      return say(identity, Kind::kPong, view.body);
    case Kind::kAck:
      acks_[name] = *decode_ack(view.body);
      return on_ack(session, acks_[name]);
    case Kind::kGoodbye:
      goodbye_ = *decode_goodbye(view.body);
      on_ack(session, {goodbye_->taken, goodbye_->outcomes, 0});
      sessions_.erase(name);
      return;
    case Kind::kWatch:
      session.patterns.emplace_back(decode_watch(view.body)->pattern);
      return;
    case Kind::kPong:
    case Kind::kCancel:  // Replies come all the same, late.
      return;
    default:
      return on_payload(name, session, view);
  }
}

void FakeBroker::on_hello(const std::string& name, const std::string& identity,
                          const EnvelopeView& view) {
  hello_ = *decode_hello(view.body);
  if (!refusals_.empty()) {
    say(identity, Kind::kRefused, encode(refusals_.front()));
    refusals_.pop_front();
    return;
  }
  const auto found = sessions_.find(name);
  const bool resumed = found != sessions_.end() && found->second.instance == hello_.instance &&
                       hello_.run == run_ && hello_.epoch == found->second.epoch;
  Session fresh;
  if (found != sessions_.end()) fresh.highest_id = found->second.highest_id;
  Session& session = sessions_[name];
  if (!resumed) {
    session = std::move(fresh);
    session.epoch = ++epochs_;
    session.credit = settings_.credit;
    session.pair = settings_.pair;
    session.instance = hello_.instance;
  }
  session.identity = identity;
  Welcome welcome;
  welcome.broker = "fake";
  welcome.run = run_;
  welcome.epoch = session.epoch;
  welcome.resumed = resumed;
  welcome.first_id = first_id_ += 1'000'000;
  welcome.highest_id = session.highest_id;
  welcome.received = session.received;
  welcome.credit = session.credit;
  welcome.pair = session.pair;
  if (resumed) on_ack(session, {hello_.taken, hello_.outcomes, 0});
  welcome.taken = session.taken;
  welcome.outcomes = resumed ? hello_.outcomes : 0;
  welcome.window_bytes = settings_.window;
  welcome.max_envelope_bytes = settings_.max_envelope;
  if (settings_.tell_max_frame) welcome.max_frame_bytes = settings_.max_envelope + 64 * 1024;
  welcome.heartbeat_ms = settings_.heartbeat_ms;
  welcome.silence_ms = settings_.silence_ms;
  welcome.resume_ms = 30'000;
  say(identity, Kind::kWelcome, encode(welcome));
  if (resumed) session.settled.insert(session.told.begin(), session.told.end());
  ByteBuffer again;
  for (const Sent& sent : session.unacked) {
    again.insert(again.end(), sent.bytes.begin(), sent.bytes.end());
  }
  if (!again.empty()) write(identity, again);
}

// --- Payload -------------------------------------------------------------------------------------

void FakeBroker::on_payload(const std::string& name, Session& session, const EnvelopeView& view) {
  const std::string to(view.to);
  seen_.push_back({name, to, view.id, view.kind(), std::string(as_text(view.body)), frames_});
  const std::uint64_t cost = cost_of(view.bytes.size());
  std::uint64_t& outstanding = session.outstanding[to];
  std::uint64_t all = 0;
  for (const auto& [recipient, each] : session.outstanding) all += each;
  if (session.received + cost > session.credit && all != 0) ++violations_;
  if (outstanding + cost > session.pair && outstanding != 0) ++violations_;
  if (view.id <= session.highest_id) {
    ++violations_;
    return fail(name, session, view, Outcome::kDuplicate);
  }
  session.highest_id = view.id;
  session.received += cost;
  outstanding += cost;
  session.unsettled[to].emplace_back(view.id, cost);
  if (stalled_[to]) return;
  if (to.empty()) {
    EnvelopeFields reply;
    reply.kind = Kind::kReply;
    reply.to = name;
    reply.id = 1;
    reply.meta.in_reply_to = view.id;
    reply.body = view.body;
    append_envelope(bundles_[name], reply);
    session.unacked.push_back({"", 0, bundles_[name]});
    return settle(name, to, view.id);
  }
  if (!sessions_.contains(to)) return fail(name, session, view, Outcome::kNoPeer);
  forward(view);
}

void FakeBroker::forward(const EnvelopeView& view) {
  const std::string to(view.to);
  ByteBuffer& bundle = bundles_[to];
  bundle.insert(bundle.end(), view.bytes.begin(), view.bytes.end());
  sessions_[to].unacked.push_back(
      {std::string(view.from), view.id, ByteBuffer(view.bytes.begin(), view.bytes.end())});
}

void FakeBroker::fail(const std::string& name, Session& session, const EnvelopeView& view,
                      Outcome code) {
  const std::string to(view.to);
  say(session.identity, Kind::kOutcome, encode(OutcomeNotice{code, to, "so says the fake"}),
      view.id);
  settle(name, to, view.id);
}

void FakeBroker::on_ack(Session& session, const Ack& ack) {
  if (ack.taken > session.taken + session.unacked.size()) ++violations_;
  while (session.taken < ack.taken && !session.unacked.empty()) {
    const Sent sent = std::move(session.unacked.front());
    session.unacked.pop_front();
    ++session.taken;
    for (auto& [name, other] : sessions_) {
      if (&other == &session) settle(sent.sender, name, sent.id);
    }
  }
}

void FakeBroker::settle(const std::string& sender, const std::string& recipient, std::uint64_t id) {
  const auto found = sessions_.find(sender);
  if (found == sessions_.end()) return;
  found->second.settled[recipient] = id;
}

void FakeBroker::flush_receipts() {
  if (held_) return;
  for (auto& [name, session] : sessions_) {
    if (session.settled.empty()) continue;
    Receipt receipt;
    for (const auto& [recipient, id] : session.settled) {
      receipt.entries.push_back({recipient, id, false});
      session.told[recipient] = id;
      auto& unsettled = session.unsettled[recipient];
      while (!unsettled.empty() && unsettled.front().first <= id) {
        session.outstanding[recipient] -= unsettled.front().second;
        session.credit += unsettled.front().second;
        unsettled.pop_front();
      }
    }
    receipt.credit = session.credit;
    receipt.pair = session.pair;
    say(session.identity, Kind::kReceipt, encode(receipt));
    session.settled.clear();
  }
}

// --- The script ----------------------------------------------------------------------------------

void FakeBroker::stop() {
  at([this] {
    zmq_close(socket_);
    socket_ = nullptr;
  });
}

void FakeBroker::start() {
  at([this] { bind(); });
}

void FakeBroker::forget_sessions() {
  at([this] {
    for (auto& [name, session] : sessions_) session.instance += "-gone";
  });
}

void FakeBroker::become_new_run() {
  at([this] {
    sessions_.clear();
    run_ = std::string(31, '0') + "2";
  });
}

void FakeBroker::refuse_hello(Refusal refusal, int times) {
  at([&] {
    for (int i = 0; i < times; ++i) refusals_.push_back(refusal);
  });
}

void FakeBroker::hold_receipts(bool held) {
  at([&] { held_ = held; });
}

void FakeBroker::stall(std::string name, bool stalled) {
  at([&] { stalled_[name] = stalled; });
}

void FakeBroker::play_dead(bool dead) {
  at([&] { dead_ = dead; });
}

void FakeBroker::set_limits(Settings settings) {
  at([&] { settings_ = settings; });
}

void FakeBroker::send(std::string_view name, const std::vector<EnvelopeFields>& envelopes) {
  at([&] {
    Session& session = sessions_.at(std::string(name));
    ByteBuffer frame;
    for (const EnvelopeFields& fields : envelopes) {
      const std::size_t start = frame.size();
      append_envelope(frame, fields);
      if (!is_program_lane(fields.kind)) continue;
      const auto first = frame.begin() + static_cast<std::ptrdiff_t>(start);
      session.unacked.push_back(
          {std::string(fields.from), fields.id, ByteBuffer(first, frame.end())});
    }
    write(session.identity, frame);
  });
}

void FakeBroker::grant(std::string_view name, std::uint64_t credit, std::uint64_t pair) {
  at([&] {
    Session& session = sessions_.at(std::string(name));
    session.credit = credit;
    session.pair = pair;
    say(session.identity, Kind::kCredit, encode(Receipt{credit, pair, {}}));
  });
}

// --- What happened -------------------------------------------------------------------------------

std::vector<FakeBroker::Seen> FakeBroker::seen() {
  const std::scoped_lock lock(mutex_);
  return seen_;
}

std::size_t FakeBroker::seen_count() {
  const std::scoped_lock lock(mutex_);
  return seen_.size();
}

std::size_t FakeBroker::count_control(Kind kind, std::string_view from) {
  const std::scoped_lock lock(mutex_);
  return control_[{kind, std::string(from)}];
}

Hello FakeBroker::last_hello() {
  const std::scoped_lock lock(mutex_);
  return hello_;
}

std::optional<Goodbye> FakeBroker::last_goodbye() {
  const std::scoped_lock lock(mutex_);
  return goodbye_;
}

Ack FakeBroker::last_ack(std::string_view from) {
  const std::scoped_lock lock(mutex_);
  return acks_[std::string(from)];
}

std::size_t FakeBroker::violations() {
  const std::scoped_lock lock(mutex_);
  return violations_;
}

}  // namespace zpost::test
