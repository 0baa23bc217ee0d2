#include "tests/broker/core/support/fake_peer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace zpost::core::test {

namespace {

EnvelopeView read_one(std::string_view bytes) {
  FrameReader reader(as_bytes(bytes));
  EnvelopeView view;
  require(reader.next(view), "no envelope");
  return view;
}

std::string encoded(const EnvelopeFields& fields) {
  ByteBuffer buffer;
  append_envelope(buffer, fields);
  return std::string(as_text(buffer));
}

}  // namespace

std::string instance_of(std::uint64_t n) {
  return fmt::format("{:032x}", n);
}

FakePeer::FakePeer(World& world, Options options, Observer* observer)
    : world_(world), options_(std::move(options)), observer_(observer) {}

void FakePeer::hold(bool claim, std::string_view what) const {
  if (!claim && options_.honest) throw Broken(fmt::format("{}: {}", name(), what));
}

// ---- Connection and session
// ----------------------------------------------------------------------

void FakePeer::connect() {
  connection_ = world_.connect(options_.name);
  use_ = world_.use_of(connection_);
  welcomed_ = asking_ = false;
  draft_.clear();
}

void FakePeer::hello() {
  write_hello();
  say();
}

void FakePeer::become(std::uint64_t instance) {
  options_.instance = instance_of(instance);
  epoch_ = 0;
  copies_.clear();
  to_resend_.clear();
  unsettled_.clear();
  asked_.clear();
  answered_.clear();
}

void FakePeer::goodbye() {
  write_goodbye({taken_, outcomes_});
  say();
  welcomed_ = false;
  epoch_ = 0;
}

// ---- Payload
// -------------------------------------------------------------------------------------

std::string FakePeer::account_of(Kind kind, std::string_view to) {
  if (kind == Kind::kPublish) return "**";
  return kind == Kind::kCall ? "@" + std::string(to) : std::string(to);
}

bool FakePeer::may_send(std::string_view to, std::uint64_t cost) const {
  if (!welcomed_ || !to_resend_.empty()) return false;
  if (sent_cost_ + cost > credit_ && unsettled() > 0) return false;
  const auto pair = unsettled_.find(to);
  if (pair == unsettled_.end() || pair->second.empty()) return true;
  std::uint64_t sum = cost;
  for (const auto& [id, each] : pair->second) sum += each;
  return sum <= pair_;
}

std::uint64_t FakePeer::send(std::string_view to, std::string_view body, Kind kind,
                             const Meta& meta) {
  const std::uint64_t id = write(to, body, kind, meta);
  say();
  return id;
}

bool FakePeer::resend() {
  std::deque<std::uint64_t> ids = std::exchange(to_resend_, {});
  for (; !ids.empty(); ids.pop_front()) {
    const auto copy = copies_.find(ids.front());
    if (copy == copies_.end()) continue;
    if (!may_send(copy->second.account, cost_of(copy->second.bytes.size()))) break;
    draft_ += copy->second.bytes;
    count_sent(copy->first, copy->second.account, copy->second.bytes);
  }
  to_resend_ = std::move(ids);
  if (!draft_.empty()) say();
  return to_resend_.empty();
}

// ---- Frames
// --------------------------------------------------------------------------------------

std::uint64_t FakePeer::write(std::string_view to, std::string_view body, Kind kind,
                              const Meta& meta) {
  const std::uint64_t id = next_id_++;
  const EnvelopeFields fields{.kind = kind,
                              .to = to,
                              .from = options_.name,
                              .id = id,
                              .meta = meta,
                              .body = as_bytes(body)};
  const std::string bytes = encoded(fields);
  draft_ += bytes;
  copies_[id] = {std::string(to), account_of(kind, to), bytes};
  count_sent(id, copies_[id].account, bytes);
  if (kind == Kind::kRequest || kind == Kind::kCall) asked_.insert(id);
  if (observer_ != nullptr) observer_->on_sent(*this, fields);
  return id;
}

void FakePeer::count_sent(std::uint64_t id, std::string_view to, std::string_view bytes) {
  const std::uint64_t cost = cost_of(bytes.size());
  sent_cost_ += cost;
  unsettled_[std::string(to)][id] = cost;
}

void FakePeer::write_raw(const EnvelopeFields& fields) {
  draft_ += encoded(fields);
}

void FakePeer::write_hello() {
  Hello hello{.instance = options_.instance,
              .software = "fake 1",
              .acks = options_.acks,
              .resume = options_.resume,
              .pong = options_.pong,
              .window_bytes = options_.window,
              .window_frames = options_.frames,
              .metadata = options_.metadata};
  hello.demand = options_.demand;
  hello.backlog = options_.backlog;
  hello.doubts = options_.doubts;
  hello.will = options_.will;
  hello.run = welcome_.run.empty() ? options_.earlier_run : welcome_.run;
  if (epoch_ != 0 && options_.resume) {
    hello.epoch = epoch_;
    hello.taken = taken_;
    hello.outcomes = outcomes_;
  }
  said_taken_ = hello.taken;
  said_outcomes_ = hello.outcomes;
  asking_ = true;
  const ByteBuffer body = encode(hello);
  write_raw({.kind = Kind::kHello, .from = options_.name, .body = body});
}

void FakePeer::write_ack() {
  // After a resume the program may be ahead of what arrived again.
  write_ack({std::min(taken_, arrived_), std::min(outcomes_, outcomes_arrived_),
             options_.says_credit ? credit_ : 0});
}

void FakePeer::write_ack(const Ack& ack) {
  const ByteBuffer body = encode(ack);
  write_raw({.kind = Kind::kAck, .from = options_.name, .body = body});
  acked_ = std::max(acked_, ack.taken);
  while (!marks_.empty() && marks_.front().last <= acked_) marks_.pop_front();
}

void FakePeer::write_watch(std::string_view pattern, bool on) {
  const ByteBuffer body = encode(Watch{pattern, on});
  write_raw({.kind = Kind::kWatch, .from = options_.name, .body = body});
  if (observer_ != nullptr) observer_->on_interest(*this, Kind::kWatch, body);
}

std::uint64_t FakePeer::write_interest(Kind kind, Bytes body, bool wants_answer) {
  const std::uint64_t id = wants_answer ? next_id_++ : 0;
  if (wants_answer) answers_[id] = Outcome::kNone;
  write_raw({.kind = kind, .from = options_.name, .id = id, .body = body});
  if (observer_ != nullptr) observer_->on_interest(*this, kind, body);
  return id;
}

void FakePeer::write_goodbye(const Goodbye& counts) {
  const ByteBuffer body = encode(counts);
  write_raw({.kind = Kind::kGoodbye, .from = options_.name, .body = body});
}

void FakePeer::say() {
  std::string frame = std::exchange(draft_, {});
  if (connected()) world_.send(connection_, std::move(frame));
}

// ---- Receiving
// -----------------------------------------------------------------------------------

std::vector<std::string> FakePeer::read(std::size_t count, bool answer) {
  if (connection_ == kNone || world_.use_of(connection_) != use_) return {};
  std::vector<std::string> frames = world_.receive(connection_, count);
  for (const std::string& frame : frames) on_frame(frame, answer);
  const std::string pongs = std::exchange(pongs_, {});
  if (!pongs.empty() && connected()) world_.send(connection_, pongs);
  if (std::exchange(report_due_, false) && options_.acks && options_.says_credit && connected()) {
    ack();
  }
  return frames;
}

void FakePeer::on_frame(std::string_view frame, bool answer) {
  const std::uint64_t before = arrived_;
  FrameReader reader(as_bytes(frame));
  EnvelopeView view;
  while (reader.next(view)) {
    const bool shared = view.kind() == Kind::kPublish || view.kind() == Kind::kCall;
    if (!shared && view.to != name())
      hold(false, fmt::format("got an envelope for \"{}\"", view.to));
    on_envelope(view, answer);
  }
  require(!reader.failed(), name() + " got bytes that are no envelope");
  if (arrived_ > before) check_window({arrived_, frame.size()});
}

void FakePeer::on_envelope(const EnvelopeView& view, bool answer) {
  // The welcome was lost with another connection of this identity.
  const bool session_only = view.kind_number >= static_cast<int>(Kind::kSend);
  if (session_only && (!welcomed_ || reconnected_)) return;
  switch (view.kind()) {
    case Kind::kWelcome:
      return on_welcome(decode_welcome(view.body).value());
    case Kind::kRefused:
    case Kind::kGoodbye:
      return on_refusal(decode_refusal(view.body).value());
    case Kind::kPing:
      if (options_.pong && answer) {
        pongs_ += encoded({.kind = Kind::kPong, .from = options_.name, .body = view.body});
      }
      return;
    case Kind::kPong:
      return;
    case Kind::kOutcome:
      return on_outcome(view);
    case Kind::kCredit:
    case Kind::kReceipt: {
      const auto receipt = decode_receipt(view.body);
      if (view.kind() == Kind::kCredit && receipt->credit <= credit_) report_due_ = answer;
      for (const ReceiptEntry& entry : receipt->entries) on_receipt_entry(entry);
      return on_limits(*receipt);
    }
    default:
      hold(is_program_lane(view.kind()), "got a kind no peer can know");
      return on_program_lane(view);
  }
}

void FakePeer::on_welcome(const Welcome& welcome) {
  hold(!welcomed_, "welcomed twice on a connection");
  welcomed_ = true;
  reconnected_ = false;
  asking_ = false;
  refusal_.reset();
  marks_.clear();
  if (welcome.resumed) {
    hold(welcome.epoch == epoch_, "another session was resumed than was named");
    hold(!options_.acks || (welcome.taken == said_taken_ && welcome.outcomes == said_outcomes_),
         "resumed from other counts than were said");
    for (auto& [to, ids] : unsettled_) ids.erase(ids.upper_bound(welcome.highest_id), ids.end());
  } else {
    hold(welcome.taken == 0 && welcome.outcomes == 0 && welcome.received == 0,
         "a new session does not begin at nothing");
    hold(welcome.epoch > welcome_.epoch, "an epoch was given twice");
    lane_.clear();
    outcome_lane_.clear();
    taken_ = outcomes_ = 0;
    unsettled_.clear();
    // They may have been taken: lost, for the program.
    copies_.erase(copies_.begin(),
                  options_.resume ? copies_.upper_bound(welcome.highest_id) : copies_.end());
    // Nobody waits for the replies of an earlier session.
    std::erase_if(asked_, [&](std::uint64_t id) { return !copies_.contains(id); });
    // Ids go on where this instance was; a new one starts at first_id.
    next_id_ = std::max(next_id_, welcome.first_id);
  }
  hold(welcome.credit >= welcome.received || unsettled() > 0, "welcomed without credit");
  arrived_ = acked_ = welcome.taken;
  if (!options_.acks) taken_ = arrived_;
  outcomes_arrived_ = welcome.outcomes;
  epoch_ = welcome.epoch;
  sent_cost_ = welcome.received;
  credit_ = welcome.credit;
  pair_ = welcome.pair;
  welcome_ = welcome;
  to_resend_.clear();
  for (const auto& [id, copy] : copies_) {
    if (id > welcome.highest_id) to_resend_.push_back(id);
  }
}

void FakePeer::on_refusal(const Refusal& refusal) {
  refusal_ = refusal;
  welcomed_ = asking_ = false;
}

void FakePeer::on_outcome(const EnvelopeView& view) {
  ++outcomes_arrived_;
  outcomes_ = std::max(outcomes_, outcomes_arrived_);
  if (outcomes_arrived_ <= outcome_lane_.size()) {
    hold(outcome_lane_[outcomes_arrived_ - 1] == as_text(view.bytes),
         "an outcome was repeated differently");
    return;
  }
  outcome_lane_.emplace_back(as_text(view.bytes));
  const auto notice = decode_outcome(view.body);
  if (const auto asked = answers_.find(view.id); asked != answers_.end()) {
    hold(asked->second == Outcome::kNone, "a second answer");
    asked->second = notice->code;
    return;
  }
  ++told_[notice->code];
  const auto copy = copies_.find(view.id);
  const bool was_open = asked_.erase(view.id) > 0;
  if (copy == copies_.end() && was_open) {  // It was taken, and ends without a reply.
    if (observer_ != nullptr) observer_->on_ended(*this, view.id, notice->code);
    return;
  }
  // It had ended when the reply was sent: the reply was late, and came first in its own lane.
  if (copy == copies_.end() && answered_.erase(view.id) > 0) return;
  hold(copy != copies_.end(), fmt::format("#{} has a second outcome, {}, or was never sent",
                                          view.id, outcome_name(notice->code)));
  if (copy == copies_.end()) return;
  hold(notice->recipient.empty() || notice->recipient == copy->second.account,
       fmt::format("#{} went to {}, its outcome speaks of \"{}\"", view.id, copy->second.account,
                   notice->recipient));
  copies_.erase(copy);
  if (observer_ != nullptr) observer_->on_told(*this, view.id, *notice);
}

void FakePeer::on_receipt_entry(const ReceiptEntry& entry) {
  hold(entry.id < next_id_, "a receipt for what was never sent");
  settle_copies(entry);
  const auto pair = unsettled_.find(entry.recipient);
  if (pair == unsettled_.end()) return;
  pair->second.erase(pair->second.begin(), pair->second.upper_bound(entry.id));
  if (pair->second.empty()) unsettled_.erase(pair);
}

/// What a receipt covers and no failure was told of is delivered.
void FakePeer::settle_copies(const ReceiptEntry& entry) {
  for (auto at = copies_.begin(); at != copies_.end() && at->first <= entry.id;) {
    if (at->second.account != entry.recipient) {
      ++at;
      continue;
    }
    ++told_[entry.unconfirmed ? Outcome::kUnconfirmed : Outcome::kDelivered];
    if (observer_ != nullptr) observer_->on_settled(*this, at->first, entry.unconfirmed);
    at = copies_.erase(at);
  }
}

void FakePeer::on_limits(const Receipt& receipt) {
  hold(receipt.credit >= credit_ || (options_.acks && options_.says_credit), "credit fell");
  hold(receipt.pair > 0 && receipt.pair <= world_.router().limits().credit_max,
       "a strange pair limit");
  credit_ = receipt.credit >= credit_ ? receipt.credit : std::max(receipt.credit, sent_cost_);
  pair_ = receipt.pair;
}

void FakePeer::on_program_lane(const EnvelopeView& view) {
  ++arrived_;
  if (!options_.acks) taken_ = arrived_;
  if (options_.acks && arrived_ <= lane_.size()) {
    hold(lane_[arrived_ - 1] == as_text(view.bytes),
         fmt::format("number {} of the lane was repeated differently", arrived_));
    return;
  }
  lane_.emplace_back(as_text(view.bytes));
  if (view.kind() == Kind::kReply) {
    const auto meta = read_meta(view);
    if (meta && meta->in_reply_to && !meta->more && asked_.erase(*meta->in_reply_to) > 0) {
      answered_.insert(*meta->in_reply_to);
    }
  }
  if (observer_ != nullptr) observer_->on_arrived(*this, view);
}

void FakePeer::check_window(const Mark& mark) {
  if (!options_.acks) return;
  marks_.push_back(mark);
  while (marks_.front().last <= acked_) {
    marks_.pop_front();
    if (marks_.empty()) return;
  }
  std::uint64_t bytes = 0;
  for (const Mark& each : marks_) bytes += each.bytes;
  hold(marks_.size() == 1 || bytes <= welcome_.window_bytes, "more bytes than the window");
  const std::uint64_t limit = world_.router().limits().window_frames;
  const std::uint64_t frames = options_.frames == 0 ? limit : std::min(limit, options_.frames);
  hold(marks_.size() <= frames, "more frames than the window");
}

void FakePeer::take(std::uint64_t count) {
  // One that lied about its counts may be ahead of what it was sent.
  for (; count > 0 && taken_ < std::min<std::uint64_t>(arrived_, lane_.size()); --count) {
    const EnvelopeView view = read_one(lane_[taken_++]);
    if (observer_ != nullptr) observer_->on_taken(*this, view);
  }
}

void FakePeer::ack() {
  write_ack();
  say();
}

void FakePeer::keep_up() {
  const std::uint64_t before = taken_ + outcomes_;
  read();
  take();
  if (welcomed_ && options_.acks && taken_ + outcomes_ > before) ack();
}

// ---- What it knows
// -------------------------------------------------------------------------------

std::uint64_t FakePeer::unsettled() const {
  std::uint64_t sum = 0;
  for (const auto& [to, ids] : unsettled_) {
    for (const auto& [id, cost] : ids) sum += cost;
  }
  return sum;
}

std::uint64_t FakePeer::told(Outcome outcome) const {
  const auto at = told_.find(outcome);
  return at == told_.end() ? 0 : at->second;
}

Outcome FakePeer::answer(std::uint64_t id) const {
  return answers_.at(id);
}

std::vector<std::string> FakePeer::bodies() const {
  std::vector<std::string> bodies;
  for (const std::string& bytes : lane_) bodies.emplace_back(as_text(read_one(bytes).body));
  return bodies;
}

std::vector<EnvelopeView> FakePeer::entries() const {
  std::vector<EnvelopeView> entries;
  for (const std::string& bytes : lane_) entries.push_back(read_one(bytes));
  return entries;
}

}  // namespace zpost::core::test
