// What the broker's frames do.
#include <cstring>
#include <utility>

#include "peer/src/batch_builder.h"
#include "peer/src/state.h"
#include "zpost/protocol/names.h"

namespace zpost::peer {
namespace {

constexpr std::size_t kMaxPresences = 65'536;
constexpr std::size_t kMaxCancellations = 1024;

/// What goes into the program's queue. Replies go to their requests.
bool is_for_program(Kind kind) {
  return kind == Kind::kSend || kind == Kind::kRequest || kind == Kind::kPublish ||
         kind == Kind::kCall || kind == Kind::kGap;
}

/// Whether it is a failure of the envelope itself; the others end a request whatever became of it.
bool is_about_delivery(Outcome outcome) {
  return !is_success(outcome) && outcome != Outcome::kExpired && outcome != Outcome::kCancelled &&
         outcome != Outcome::kNoReply;
}

}  // namespace

void State::handle(Bytes frame, const Keeper& keeper) {
  heard_ = true;
  FrameReader reader(frame);
  EnvelopeView view;
  std::optional<Time> now;
  while (reader.next(view)) {
    if (phase_ == Phase::kActive && is_for_program(view.kind())) {
      on_payload(view, now);
    } else {
      on_control(view);
    }
  }
  inbox_.end_frame(keeper, frame.size());
  apply_cancels();
  if (reader.failed()) lost("bytes from the broker that are no envelope: " + reader.error_text());
}

inline void State::on_payload(EnvelopeView& view, std::optional<Time>& now) {
  if (!inbox_.accept(view)) return;
  if (view.has_meta() && too_late(view, now)) return;
  // The broker does not check texts. What is none goes on as bytes.
  if (view.body_is_text && !is_utf8(as_text(view.body))) view.body_is_text = false;
  inbox_.queue(view);
}

bool State::too_late(const EnvelopeView& view, std::optional<Time>& now) {
  if (view.kind() != Kind::kRequest && view.kind() != Kind::kCall) return false;
  const Result<Meta> meta = read_meta(view);
  if (!meta || meta->deadline_ns == 0) return false;
  has_deadlines_ = true;
  if (!now) now = sink_->now();
  if (meta->deadline_ns > broker_time(*now)) return false;
  ++statistics_.expired;
  return true;
}

void State::on_cancel(const EnvelopeView& view) {
  // What it is about may be in the frame at hand, which is not in the inbox yet.
  if (inbox_.accept(view)) cancels_.push_back({std::string(view.from), view.id});
}

void State::apply_cancels() {
  for (Cancellation& each : cancels_) {
    if (inbox_.remove(each.from, each.id)) {
      ++statistics_.cancelled;
      continue;
    }
    if (cancellations_.size() == kMaxCancellations) cancellations_.pop_front();
    cancellations_.push_back(std::move(each));
  }
  cancels_.clear();
}

void State::on_control(const EnvelopeView& view) {
  if (phase_ == Phase::kGreeting) {
    if (view.kind() == Kind::kWelcome) return on_welcome(view);
    if (view.kind() == Kind::kRefused || view.kind() == Kind::kGoodbye) return on_refusal(view);
    return;
  }
  if (phase_ != Phase::kActive) return;
  switch (view.kind()) {
    case Kind::kReply:
      return on_reply(view);
    case Kind::kOutcome:
      return on_outcome(view);
    case Kind::kCredit:
    case Kind::kReceipt:
      return on_receipt(view);
    case Kind::kPresence:
      return on_presence(view);
    case Kind::kCancel:
      return on_cancel(view);
    case Kind::kPing:
      return say(Kind::kPong, view.body);
    case Kind::kPong:
      return on_pong(view);
    case Kind::kRefused:
    case Kind::kGoodbye:
      return on_refusal(view);
    default:
      // Kinds of later versions still count on their lane.
      if (is_program_lane(view.kind())) (void)inbox_.accept(view);
      return;
  }
}

void State::resolve(Resolver resolver, Answer<Message> answer) {
  if (!answer || !answer->more) ++(answer ? statistics_.delivered : statistics_.failed);
  resolved_.push_back({std::move(resolver), std::move(answer)});
}

void State::on_reply(const EnvelopeView& view) {
  // What cannot be read says nothing.
  const Result<Meta> read = read_meta(view);
  const Meta meta = read ? *read : Meta();
  if (!inbox_.accept(view, meta)) return;
  const std::uint64_t id = meta.in_reply_to.value_or(0);
  if (view.from.empty()) {
    // The broker itself took the request, whether or not it says so in a receipt.
    settlements_.clear();
    ledger_.settle({"", id, false}, settlements_);
  }
  const bool more = meta.more && !meta.rejected;
  std::optional<Requests::Replied> replied = requests_.reply(view.from, id, more);
  if (!replied) {
    ++statistics_.late_replies;
    return;
  }
  ledger_.note_answered(replied->account, id);
  ++statistics_.received;
  ++statistics_.taken;
  Message message = make_message(view, meta);
  if (more && !requests_.contains(id)) {
    // Who asked wants one reply: whoever makes more need not.
    message.more = false;
    say(Kind::kCancel, {}, id);
  }
  if (!message.rejected) return resolve(std::move(replied->resolver), std::move(message));
  resolve(std::move(replied->resolver),
          Failure{Fault::kFailed, Outcome::kRejected, std::string(message.text())});
}

void State::on_outcome(const EnvelopeView& view) {
  if (!inbox_.accept_outcome()) return;
  const Result<OutcomeNotice> notice = decode_outcome(view.body);
  if (!notice) return;
  if (const auto interest = interests_.answered(view.id, is_success(notice->code))) {
    // Its count is no reason to tell a success that is not wanted.
    const bool wanted = !is_success(notice->code) || report_successes_;
    if (interest->news && wanted) report_one(interest->name, interest->id, *notice);
    return;
  }
  const std::optional<Ledger::Told> told =
      ledger_.tell_one(notice->recipient, view.id, notice->code);
  OutcomeNotice final_one = *notice;
  if (told && told->doubtful && is_about_delivery(notice->code)) {
    // What this run of the broker could not do, an earlier one may have done.
    final_one.code = Outcome::kLost;
    final_one.text = "an earlier run of the broker may have delivered it";
  }
  // A request may fail after a receipt covered it: that said only that it was taken.
  if (requests_.contains(view.id)) return tell_request(view.id, final_one.code, final_one.text);
  if (!told || told->request) return;
  ++(is_success(final_one.code) ? statistics_.delivered : statistics_.failed);
  report_one(told->to, view.id, final_one);
}

void State::report_one(std::string_view to, std::uint64_t id, const OutcomeNotice& notice) {
  // A count was wanted for itself.
  if (notice.count) return reports_.add_counted(to, id, notice.code, *notice.count);
  if (is_success(notice.code) ? report_successes_ : report_failures_) {
    reports_.add(to, id, 1, notice.code, notice.text);
  }
}

void State::tell_request(std::uint64_t id, Outcome outcome, std::string_view text) {
  std::string words(outcome_name(outcome));
  if (!text.empty()) words += ": " + std::string(text);
  // The broker's clock and ours tell the same.
  const Fault fault = outcome == Outcome::kExpired ? Fault::kTimedOut : Fault::kFailed;
  std::optional<Resolved> resolved = requests_.fail(id, {fault, outcome, std::move(words)});
  if (resolved) resolve(std::move(resolved->resolver), std::move(resolved->answer));
}

void State::on_receipt(const EnvelopeView& view) {
  const Result<Receipt> receipt = decode_receipt(view.body);
  if (!receipt) return;
  const std::uint64_t before = ledger_.credit();
  ledger_.set_limits(receipt->credit, receipt->pair);
  if (view.kind() == Kind::kCredit && ledger_.credit() <= before) credit_report_due_ = true;
  for (const ReceiptEntry& entry : receipt->entries) {
    settlements_.clear();
    ledger_.settle(entry, settlements_);
    tell(settlements_);
  }
  go_on_sending();
}

void State::tell(const std::vector<Settlement>& settlements) {
  for (const Settlement& each : settlements) {
    const std::uint64_t end = each.first_id + each.count;
    if (each.request) {
      // A request that was taken waits for its reply.
      if (is_success(each.outcome)) continue;
      for (std::uint64_t id = each.first_id; id != end; ++id) tell_request(id, each.outcome, "");
      continue;
    }
    std::uint64_t& counter = each.outcome == Outcome::kDelivered     ? statistics_.delivered
                             : each.outcome == Outcome::kUnconfirmed ? statistics_.unconfirmed
                                                                     : statistics_.failed;
    counter += each.count;
    if (is_success(each.outcome) ? report_successes_ : report_failures_) {
      reports_.add(each.to, each.first_id, each.count, each.outcome);
    }
  }
}

void State::on_presence(const EnvelopeView& view) {
  if (!inbox_.accept(view)) return;
  Result<Presence> presence = decode_presence(view.body);
  if (!presence) return;
  if (presences_.size() == kMaxPresences) {
    presences_.pop_front();
    ++statistics_.dropped_presences;
  }
  presences_.push_back(std::move(*presence));
}

void State::on_pong(const EnvelopeView& view) {
  std::uint64_t answered = 0;
  if (view.body.size() != sizeof answered) return;
  std::memcpy(&answered, view.body.data(), sizeof answered);
  for (Watched& watched : watches_) {
    if (watched.ping <= answered) watched.ping = 0;
  }
}

}  // namespace zpost::peer
