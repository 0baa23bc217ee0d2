#include "tests/sim/world/call_book.h"

#include <fmt/format.h>

#include "tests/sim/rules.h"
#include "tests/sim/world/serials.h"

namespace zpost::sim {

namespace {

constexpr BodyMark kMark{'c', 'a', 'l', 'l'};

}  // namespace

std::string call_body(Serial serial, std::size_t size) {
  return marked_body(kMark, serial, size);
}

void CallBook::add_instance(InstanceId instance, const std::string& name) {
  instances_[instance].name = name;
}

void CallBook::end_instance(InstanceId instance, LetterBook::End how) {
  instances_[instance].ended = true;
  for (Call& call : calls_) {
    if (call.caller != instance || call.caller_gone) continue;
    call.caller_gone = true;
    insist(how == LetterBook::End::kKilled || call.outcome != Outcome::kNone,
           "every call has its outcome",
           [&] { return describe(call) + " has none, though its program closed"; });
  }
}

// ---- Callers
// -------------------------------------------------------------------------------------

Serial CallBook::write(InstanceId caller, std::string_view service) {
  Call& call = calls_.emplace_back();
  call.serial = calls_.size();
  call.caller = caller;
  call.service = service;
  return call.serial;
}

void CallBook::forget(Serial serial) {
  insist(serial == calls_.size(), "the latest is forgotten", [] { return "another was"; });
  calls_.pop_back();
}

void CallBook::note_answer(Serial serial, const peer::Answer<peer::Message>& answer,
                           InstanceId answerer) {
  Call& call = calls_[serial - 1];
  insist(call.outcome == Outcome::kNone && !call.caller_gone, "one outcome",
         [&] { return describe(call) + " ended again, or after its program"; });
  if (answer) {
    insist(call.workers.contains(answerer), "the reply to its call", [&] {
      return fmt::format("{} was answered by {}, who was not given it", describe(call),
                         instances_[answerer].name);
    });
    call.outcome = Outcome::kDelivered;
    return;
  }
  const peer::Failure& failure = answer.error();
  using peer::Fault;
  if (failure.fault == Fault::kTimedOut || failure.fault == Fault::kClosed) {
    call.outcome = Outcome::kTimedOut;
    return;
  }
  call.outcome = failure.outcome;
  const bool unheard = call.outcome == Outcome::kNoWorker || call.outcome == Outcome::kFull;
  const bool known = unheard || call.outcome == Outcome::kLost ||
                     call.outcome == Outcome::kNoReply || call.outcome == Outcome::kExpired ||
                     call.outcome == Outcome::kCancelled;
  insist(failure.fault == Fault::kFailed && known, "outcomes of calls",
         [&] { return describe(call) + ": " + failure.text; });
  insist(call.outcome != Outcome::kCancelled || call.cancelled, "outcomes of calls",
         [&] { return describe(call) + " was cancelled by nobody"; });
}

// ---- Workers
// -------------------------------------------------------------------------------------

CallBook::Call& CallBook::call_of(const EnvelopeView& view) {
  const Serial serial = marked_serial(kMark, view.body);
  insist(serial > 0 && serial <= calls_.size(), "only what was called",
         [&] { return fmt::format("#{} from {} is no call", view.id, view.from); });
  Call& call = calls_[serial - 1];
  insist(view.from == instances_[call.caller].name && view.to == call.service &&
             (view.id == call.id || call.id == 0),
         "only what was called", [&] {
           return fmt::format("{} came as #{} from {} to {}", describe(call), view.id, view.from,
                              view.to);
         });
  return call;
}

void CallBook::note_given(InstanceId worker, const EnvelopeView& view) {
  Call& call = call_of(view);
  Instance& it = instances_[worker];
  insist(!it.ended, "nothing for a closed program",
         [&] { return describe(call) + " was given to a program that is over"; });
  insist(it.services.contains(call.service), "only what it offers",
         [&] { return fmt::format("{} was given to {}", describe(call), it.name); });
  const Result<Meta> meta = read_meta(view);
  // A worker that stood still may begin with it after another did. A later run of the broker does
  // not know of the attempts before.
  const std::uint64_t attempt = meta && meta->again > 1 ? meta->again : 1;
  insist(call.attempts.emplace(it.run, attempt).second, "again says so", [&] {
    return fmt::format("{} was given to {} as attempt {}, as it was before", describe(call),
                       it.name, attempt);
  });
  call.workers.insert(worker);
}

// ---- The end
// -------------------------------------------------------------------------------------

std::string CallBook::describe(const Call& call) const {
  std::string text = fmt::format("call {} (#{} from {} to {}", call.serial, call.id,
                                 instances_.at(call.caller).name, call.service);
  if (call.outcome != Outcome::kNone) text += fmt::format(", told {}", outcome_name(call.outcome));
  return text + ")";
}

std::string CallBook::open_calls() const {
  std::string text;
  for (const Call& call : calls_) {
    if (call.caller_gone || call.outcome != Outcome::kNone) continue;
    text += (text.empty() ? "" : "; ") + describe(call);
  }
  return text;
}

}  // namespace zpost::sim
