// What a program does with topics and services.
#include <fmt/format.h>

#include <utility>

#include "tests/sim/rules.h"
#include "tests/sim/world/program.h"

namespace zpost::sim {

using peer::Draft;

// ---- Topics
// --------------------------------------------------------------------------------------

void Program::subscribe(const Subscribe& what) {
  if (closed()) return;
  say("subscribes to {}", what.pattern);
  books_.notices.note_subscribed(instance_, std::string(what.pattern));
  patterns_.insert(std::string(what.pattern));
  interests_.insert(std::string(what.pattern));
  (void)state_.subscribe(what);
}

void Program::unsubscribe(const std::string& pattern) {
  if (closed()) return;
  say("unsubscribes from {}", pattern);
  patterns_.erase(pattern);
  interests_.insert(pattern);
  (void)state_.unsubscribe(pattern);
}

void Program::unsubscribe_all() {
  for (const std::string& pattern : std::set(patterns_)) unsubscribe(pattern);
}

bool Program::publish(const std::string& topic, std::size_t size, const Meta& meta) {
  if (closed() || stopped_ || !waiting_.empty()) return false;
  NoticeBook& book = books_.notices;
  const Serial serial = book.write(instance_, topic, (meta.wanted & kWantSubscriber) != 0);
  const std::string body = notice_body(serial, size);
  const Draft draft{.kind = Kind::kPublish, .to = topic, .body = as_bytes(body), .meta = meta};
  const auto id = state_.invalid(draft) ? std::nullopt : state_.try_send(draft);
  if (!id) {
    book.forget(serial);
    state_.flush();
    return false;
  }
  book.note_id(serial, *id);
  say("publishes notice {} (#{}) on {}", serial, *id, topic);
  return true;
}

// ---- Services
// ------------------------------------------------------------------------------------

void Program::offer(const std::string& service, std::uint64_t capacity) {
  if (closed()) return;
  say("offers {}, {} at once", service, capacity);
  books_.calls.note_offered(instance_, service);
  interests_.insert(service);
  (void)state_.offer({service, capacity});
}

void Program::withdraw(const std::string& service) {
  if (closed()) return;
  say("withdraws {}", service);
  interests_.insert(service);
  (void)state_.withdraw(service);
}

bool Program::call(const std::string& service, std::size_t size, Moment timeout, bool idempotent) {
  if (closed() || stopped_ || !waiting_.empty()) return false;
  CallBook& book = books_.calls;
  const Serial serial = book.write(instance_, service);
  const std::string body = call_body(serial, size);
  Draft draft{.kind = Kind::kCall, .to = service, .body = as_bytes(body), .meta = {}};
  const peer::Time deadline = to_peer_time(now_ + timeout);
  draft.meta.deadline_ns = state_.broker_time(deadline);
  draft.meta.idempotent = idempotent;
  const auto id = state_.invalid(draft) ? std::nullopt : state_.try_send(draft);
  if (!id) {
    book.forget(serial);
    return false;
  }
  book.note_id(serial, *id);
  open_calls_[*id] = serial;
  say("calls {} with call {} (#{})", service, serial, *id);
  const peer::Asked asked{.id = *id, .to = service, .is_call = true, .deadline = deadline};
  state_.expect_reply(asked, [this, serial, id = *id](auto answer) {
    say("hears of call {}: {}", serial, answer ? "a reply" : answer.error().text);
    open_calls_.erase(id);
    const InstanceId answerer = answer ? book_.note_reply(*answer) : 0;
    books_.calls.note_answer(serial, answer, answerer);
  });
  return true;
}

void Program::cancel_some(Dice& dice) {
  if (closed() || stopped_ || open_calls_.empty()) return;
  auto chosen = open_calls_.begin();
  std::advance(chosen, static_cast<std::ptrdiff_t>(dice.below(open_calls_.size())));
  say("cancels call {}", chosen->second);
  books_.calls.note_cancelled(chosen->second);
  (void)state_.cancel(chosen->first);
}

// ---- What it is given
// ----------------------------------------------------------------------------

/// False: it is a letter.
bool Program::on_given_in_group(const EnvelopeView& view) {
  if (view.kind() == Kind::kGap) {
    const Result<Gap> gap = decode_gap(view.body);
    insist(bool(gap), "gaps have a size", [] { return "one cannot be read"; });
    say("missed {} notices", gap->count);
    books_.notices.note_gap(instance_, gap->count);
    return true;
  }
  if (view.kind() == Kind::kPublish) {
    say("is given #{} on {} from {}", view.id, view.to, view.from);
    books_.notices.note_given(instance_, view);
    return true;
  }
  if (view.kind() != Kind::kCall) return false;
  std::optional<peer::Time> now;
  if (state_.too_late(view, now)) return true;
  say("is given call #{} of {} from {}", view.id, view.to, view.from);
  books_.calls.note_given(instance_, view);
  if (settings_.reading == Reading::kCallback && settings_.answers) reply_to(view);
  return true;
}

void Program::on_report(const peer::OutcomeReport& report) {
  if (books_.notices.note_report(instance_, report)) return;
  if (!interests_.contains(report.to)) return book_.note_report(instance_, report);
  insist(report.outcome == Outcome::kDelivered, "interests are granted", [&] {
    return fmt::format("{}: {} {}", title(), report.to, outcome_name(report.outcome));
  });
}

}  // namespace zpost::sim
