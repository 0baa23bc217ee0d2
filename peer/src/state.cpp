// The life of a session: hello, welcome, silence, refusal, goodbye.
#include "peer/src/state.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace zpost::peer {
namespace {

using std::chrono::milliseconds;

// Beside payload an ack costs next to nothing; alone it wakes the broker and, by a receipt, the
// sender. So it waits a little for payload to go with.
constexpr milliseconds kAckBesidePayload{1};
constexpr milliseconds kAckAlone{2};
// Of publishes only: each ack costs the broker as much as the frame it is for.
constexpr milliseconds kAckOfTopics{20};
constexpr milliseconds kAckOfTopicsAtLast{100};
constexpr milliseconds kGreetingTimeout{5000};
constexpr std::size_t kMaxChanges = 1024;
constexpr std::size_t kMaxWatches = 64;  // SPEC.md, section 10.

std::uint64_t seed_from(std::string_view instance) {
  return std::hash<std::string_view>{}(instance);
}

/// A welcome may leave its limits out, and no envelope is larger than the frame it goes in.
void complete(Welcome& welcome) {
  constexpr std::uint64_t kUsual = 1 << 20;  // SPEC.md, section 10.
  std::uint64_t& envelope = welcome.max_envelope_bytes;
  std::uint64_t& frame = welcome.max_frame_bytes;
  if (envelope == 0) envelope = frame != 0 ? frame : kUsual;
  if (frame == 0) frame = envelope;
  envelope = std::min(envelope, frame);
}

std::uint64_t saturated_sum(std::uint64_t a, std::uint64_t b) {
  return b > UINT64_MAX - a ? UINT64_MAX : a + b;
}

milliseconds as_milliseconds(std::uint64_t count) {
  return milliseconds(std::min<std::uint64_t>(count, 1'000'000'000));
}

}  // namespace

State::State(const Options& options, std::string instance, FramePool& pool, FrameSink& sink)
    : options_(options),
      instance_(std::move(instance)),
      sink_(&sink),
      backoff_(options.reconnect_first, options.reconnect_last, seed_from(instance_)),
      ledger_(options.name),
      topics_(options.name),
      open_(pool),
      reports_(options.max_outcome_reports) {
  report_all(false);
}

void State::change(StateChange change) {
  if (changes_.size() == kMaxChanges) {
    changes_.pop_front();
    ++statistics_.dropped_changes;
  }
  changes_.push_back(std::move(change));
}

// --- Hello and welcome ---------------------------------------------------------------------------

void State::opened(Time now) {
  seal();  // Its envelopes are part of the backlog.
  phase_ = Phase::kGreeting;
  demand_grew_ = false;
  if (last_ack_ == Time::min()) last_ack_ = now - kAckOfTopicsAtLast;
  greeting_ends_ = now + kGreetingTimeout;
  last_heard_ = now;
  Hello hello;
  hello.instance = instance_;
  hello.software = options_.software;
  hello.acks = hello.resume = hello.pong = true;
  hello.window_bytes = options_.window_bytes;
  hello.window_frames = options_.window_frames;
  hello.run = welcome_.run;
  hello.epoch = welcome_.epoch;
  hello.taken = inbox_.reached().taken;
  hello.outcomes = inbox_.reached().outcomes;
  hello.demand = demand();
  hello.backlog = ledger_.cost_kept();
  hello.doubts = inbox_.doubts();
  hello.metadata = options_.metadata;
  hello.will = options_.will;
  say(Kind::kHello, encode(hello));
}

void State::on_welcome(const EnvelopeView& view) {
  Result<Welcome> welcome = decode_welcome(view.body);
  if (!welcome) return lost("the broker's welcome: " + welcome.error().text);
  const Continuation continuation = !welcomed_                     ? Continuation::kFirst
                                    : welcome->resumed             ? Continuation::kResumed
                                    : welcome->run == welcome_.run ? Continuation::kSameRun
                                                                   : Continuation::kNewRun;
  seal();  // What was written while there was no connection.
  welcome_ = std::move(*welcome);
  complete(welcome_);
  welcomed_at_ = sink_->now();
  welcomed_ = true;
  phase_ = Phase::kActive;
  refusal_.reset();
  backoff_.reset();
  credit_report_due_ = false;
  settlements_.clear();
  ledger_.welcomed(welcome_, continuation, settlements_);
  const std::uint64_t unacknowledged = inbox_.welcomed(welcome_, options_.window_frames);
  tell_welcome(continuation, unacknowledged);
  tell(settlements_);
  for (Watched& watched : watches_) {
    // A session that goes on knows what it confirmed.
    if (continuation != Continuation::kResumed || watched.ping != 0) send_watch(watched);
  }
  repeat_interests(continuation == Continuation::kResumed);
  // The hello did not say so, and nothing may come that an ack would have to follow.
  if (demand_grew_) send_ack();
  repeat_cancels();
  go_on_sending();
}

void State::tell_welcome(Continuation continuation, std::uint64_t unacknowledged) {
  if (continuation != Continuation::kFirst) ++statistics_.reconnects;
  StateChange told;
  told.state = StateChange::State::kConnected;
  told.resumed = continuation == Continuation::kResumed;
  told.new_run = continuation == Continuation::kNewRun;
  // A new run has told nobody anything: their senders send again, and it is dropped here.
  if (continuation == Continuation::kSameRun) told.taken_but_unacknowledged = unacknowledged;
  change(std::move(told));
}

// --- Losses --------------------------------------------------------------------------------------

void State::end_connection() {
  phase_ = Phase::kDown;
  retry_known_ = false;
  seal();
}

void State::lost(std::string_view why) {
  if (phase_ != Phase::kGreeting && phase_ != Phase::kActive) return;
  const bool was_active = phase_ == Phase::kActive;
  end_connection();
  if (!was_active) return;
  StateChange told;
  told.state = StateChange::State::kLost;
  told.text = why;
  change(std::move(told));
}

void State::on_refusal(const EnvelopeView& view) {
  Result<Refusal> refusal = decode_refusal(view.body);
  if (!refusal) return lost("the broker's refusal: " + refusal.error().text);
  refusal_ = std::move(*refusal);
  if (is_final(*refusal_, !welcomed_, options_.wait_for_name)) return give_up(*refusal_);
  if (refusal_->code == Outcome::kNotWelcomed) return lost("the broker knows no session");
  StateChange told;
  told.code = refusal_->code;
  told.text = refusal_->text;
  const bool draining = refusal_->code == Outcome::kDraining;
  told.state = draining ? StateChange::State::kDraining : StateChange::State::kRefused;
  if (phase_ == Phase::kActive) change(std::move(told));
  if (draining) return lost("the broker is shutting down");
  end_connection();
}

void State::give_up(const Refusal& refusal) {
  end_connection();
  end_all({Fault::kClosed, refusal.code, refusal.text});
  StateChange told;
  told.state = StateChange::State::kRefused;
  told.final = true;
  told.code = refusal.code;
  told.text = refusal.text;
  change(std::move(told));
}

/// Is over: everything that waits for its outcome gets its final one.
void State::end_all(const Failure& failure) {
  phase_ = Phase::kOver;
  for (Resolved& each : requests_.fail_all(failure)) {
    ++statistics_.failed;
    resolved_.push_back(std::move(each));
  }
  settlements_.clear();
  ledger_.abandon(settlements_);
  tell(settlements_);
  reserve_.offer([this](const Draft& draft) {
    fail_deferred(draft, Outcome::kLost, "it waited for credit");
    return true;
  });
}

void State::close() {
  if (phase_ == Phase::kOver) return;
  if (phase_ == Phase::kActive) {
    flush();
    const Ack counts = inbox_.make_ack();
    say_doubts();
    say(Kind::kGoodbye, encode(Goodbye{counts.taken, counts.outcomes}));
  }
  seal();
  end_all({Fault::kClosed, Outcome::kNone, "closed"});
  StateChange told;
  told.state = StateChange::State::kClosed;
  change(std::move(told));
}

// --- Time ----------------------------------------------------------------------------------------

void State::tick(Time now) {
  // A gap means that this process stood still, not that the broker was silent.
  const milliseconds silence = as_milliseconds(welcome_.silence_ms);
  const bool stood_still = last_tick_ != Time::min() && now - last_tick_ > silence / 2;
  if (heard_ || stood_still) last_heard_ = now;
  heard_ = false;
  last_tick_ = now;
  give_up_requests(now);
  if (phase_ == Phase::kGreeting && now >= greeting_ends_) lost("no welcome");
  if (phase_ == Phase::kActive) watch_over(now);
  if (phase_ == Phase::kActive) ack_if_due(now);
  if (phase_ == Phase::kDown && !retry_known_) {
    retry_at_ = now + backoff_.next();
    retry_known_ = true;
  }
}

/// Those that took too long. The broker's clock may say otherwise, so it is told.
void State::give_up_requests(Time now) {
  for (Requests::Expired& each : requests_.expire(now)) {
    ++statistics_.failed;
    resolved_.push_back(std::move(each.resolved));
    if (given_up_.size() == kMostGivenUp) given_up_.pop_front();
    given_up_.push_back({each.id, false});
    if (phase_ == Phase::kActive) to_cancel_.push_back(each.id);  // Else the welcome does.
  }
  say_cancels();
}

/// After a welcome: what was said before may have been lost.
void State::repeat_cancels() {
  to_cancel_ = requests_.cancelled();
  for (const GivenUp& each : given_up_) to_cancel_.push_back(each.id);
  std::erase_if(given_up_, [](const GivenUp& each) { return each.repeated; });
  for (GivenUp& each : given_up_) each.repeated = true;
}

/// Tells the broker what nobody waits for any more, once it has it.
void State::say_cancels() {
  if (to_cancel_.empty() || phase_ != Phase::kActive || ledger_.resending()) return;
  flush();  // The requests go first.
  for (const std::uint64_t id : std::exchange(to_cancel_, {})) say(Kind::kCancel, {}, id);
}

void State::watch_over(Time now) {
  const milliseconds heartbeat = as_milliseconds(welcome_.heartbeat_ms);
  const milliseconds silence = as_milliseconds(welcome_.silence_ms);
  if (heartbeat == milliseconds::zero() || silence == milliseconds::zero()) return;
  const auto quiet = now - last_heard_;
  if (quiet >= silence) return lost("the broker is silent");
  // A little later than the broker's own ping would be.
  if (quiet >= heartbeat * 5 / 4 && now >= last_ping_ + heartbeat) {
    last_ping_ = now;
    ping();
  }
}

Time State::next_tick() const {
  Time next = requests_.next_deadline();
  if (phase_ == Phase::kDown) next = std::min(next, retry_known_ ? retry_at_ : Time::min());
  if (phase_ == Phase::kGreeting) next = std::min(next, greeting_ends_);
  if (phase_ == Phase::kActive && welcome_.heartbeat_ms != 0) {
    next = std::min(next, last_tick_ + as_milliseconds(welcome_.heartbeat_ms) / 2);
  }
  if (ack_wanted()) next = std::min(next, ack_due_at_last());
  return next;
}

// --- Control envelopes ---------------------------------------------------------------------------

void State::say(Kind kind, Bytes body, std::uint64_t id) {
  EnvelopeFields fields;
  fields.kind = kind;
  fields.from = options_.name;
  fields.id = id;
  fields.body = body;
  control_.clear();
  append_envelope(control_, fields);
  sink_->send_control(control_);
}

void State::ping() {
  ++pings_;
  std::byte body[sizeof pings_];
  std::memcpy(body, &pings_, sizeof pings_);
  say(Kind::kPing, body);
}

bool State::watch(std::string_view pattern) {
  if (std::ranges::find(watches_, pattern, &Watched::pattern) != watches_.end()) return true;
  if (watches_.size() == kMaxWatches) return false;
  watches_.push_back({std::string(pattern), 0});
  if (phase_ == Phase::kActive) send_watch(watches_.back());
  return true;
}

void State::send_watch(Watched& watched) {
  say(Kind::kWatch, encode(Watch{watched.pattern, true}));
  ping();
  watched.ping = pings_;
}

std::uint64_t State::subscribe(const Subscribe& what) {
  return say_interest(Kind::kSubscribe, what.pattern, encode(what));
}

std::uint64_t State::unsubscribe(std::string_view pattern) {
  return say_interest(Kind::kUnsubscribe, pattern, encode(Name{pattern}));
}

std::uint64_t State::offer(const Offer& what) {
  return say_interest(Kind::kOffer, what.service, encode(what));
}

std::uint64_t State::withdraw(std::string_view service) {
  return say_interest(Kind::kWithdraw, service, encode(Name{service}));
}

std::uint64_t State::describe(Metadata metadata) {
  options_.metadata = std::move(metadata);  // The next hello says it, too.
  return say_interest(Kind::kDescribe, {}, encode(options_.metadata));
}

std::uint64_t State::say_interest(Kind kind, std::string_view name, ByteBuffer body) {
  const std::uint64_t id = ledger_.take_id();
  if (phase_ == Phase::kActive) {
    flush();  // What was published before comes before.
    say(kind, body, id);
  }
  interests_.put(kind, name, std::move(body), id);
  return id;
}

/// Before anything is sent again, so that this peer gets what it publishes itself.
void State::repeat_interests(bool resumed) {
  interests_.repeat(
      resumed, [this] { return ledger_.take_id(); },
      [this](Kind kind, Bytes body, std::uint64_t id) { say(kind, body, id); });
}

bool State::cancel(std::uint64_t id) {
  if (!requests_.cancel(id)) return false;
  // Without a session the next one begins with it.
  if (phase_ == Phase::kActive) to_cancel_.push_back(id);
  say_cancels();
  return true;
}

std::uint64_t State::broker_time(Time time) const {
  if (welcome_.time_ns == 0 || time == Time::max()) return 0;
  const auto since = std::chrono::duration_cast<std::chrono::nanoseconds>(time - welcomed_at_);
  const auto moved = welcome_.time_ns + static_cast<std::uint64_t>(since.count());
  const bool wrapped = since.count() < 0 && moved > welcome_.time_ns;
  return wrapped || moved == 0 ? 1 : moved;
}

std::optional<std::uint64_t> State::demand() const {
  if (options_.demand == 0) return std::nullopt;
  const std::uint64_t taken = inbox_.counts().taken;
  return options_.demand > taken ? options_.demand - taken : 0;
}

void State::add_demand(std::uint64_t count) {
  if (options_.demand == 0) return;
  options_.demand = saturated_sum(options_.demand, count);
  demand_grew_ = phase_ == Phase::kGreeting;
  send_ack();
}

Time State::ack_due() const {
  return last_ack_ + (ack_hurries() ? kAckAlone : kAckOfTopics);
}

Time State::ack_due_at_last() const {
  return last_ack_ + (ack_hurries() ? kAckAlone : kAckOfTopicsAtLast);
}

void State::ack_if_due(Time now) {
  if (!ack_wanted() || now < ack_due()) return;
  last_ack_ = now;
  send_ack();
}

void State::ack_beside_payload() {
  // A report of lower credit goes behind what was accepted before.
  if (credit_report_due_ || !ack_hurries()) return;
  const Time now = sink_->now();
  if (now < last_ack_ + kAckBesidePayload) return;
  last_ack_ = now;
  send_ack();
}

void State::say_doubts() {
  const std::vector<LaneRange> doubts = inbox_.take_doubts();
  if (!doubts.empty()) say(Kind::kDoubt, encode(Doubt{doubts}));
}

void State::send_ack() {
  if (phase_ != Phase::kActive) return;
  // What was accepted under the earlier limits must come before the report of the lower ones.
  if (credit_report_due_) flush();
  say_doubts();
  Ack ack = inbox_.make_ack();
  ack.credit = ledger_.credit();
  if (const auto more = demand()) ack.demand = saturated_sum(ack.taken, *more);
  credit_report_due_ = false;
  say(Kind::kAck, encode(ack));
}

Statistics State::statistics() const {
  Statistics statistics = statistics_;
  statistics.unsettled = unsettled();
  statistics.received += inbox_.counts().received;
  statistics.taken += inbox_.counts().taken;
  statistics.dropped_duplicates = inbox_.counts().duplicates;
  statistics.dropped_reports = reports_.dropped();
  return statistics;
}

}  // namespace zpost::peer
