#include "tests/sim/world/letter_book.h"

#include <fmt/format.h>

#include <algorithm>

#include "tests/sim/rules.h"
#include "tests/sim/world/serials.h"

namespace zpost::sim {

namespace {

constexpr BodyMark kLetterMark{'l', 't', 'r', ' '};

/// What a sender that keeps to the page can be told. Anything else is somebody's fault.
bool may_befall(Outcome outcome) {
  switch (outcome) {
    case Outcome::kDelivered:
    case Outcome::kUnconfirmed:
    case Outcome::kNoPeer:
    case Outcome::kFull:
    case Outcome::kLost:
    case Outcome::kNoReply:
    case Outcome::kExpired:
      return true;
    default:
      return false;
  }
}

/// Some program may have it, or get it yet.
bool may_have_been_taken(Outcome outcome) {
  return outcome == Outcome::kLost || outcome == Outcome::kNoReply ||
         outcome == Outcome::kExpired || outcome == Outcome::kTimedOut;
}

}  // namespace

std::string letter_body(Serial serial, std::size_t size) {
  return marked_body(kLetterMark, serial, size);
}

Serial serial_in(Bytes body) {
  return marked_serial(kLetterMark, body);
}

// ---- Programs
// ------------------------------------------------------------------------------------

InstanceId LetterBook::add_instance(const std::string& name) {
  instances_.emplace_back().name = name;
  return static_cast<InstanceId>(instances_.size() - 1);
}

InstanceId LetterBook::add_plain_instance(const std::string& name) {
  const InstanceId instance = add_instance(name);
  instances_[instance].plain = true;
  return instance;
}

void LetterBook::end_instance(InstanceId instance, End how) {
  instances_[instance].ended = true;
  for (Letter& letter : letters_) {
    if (letter.sender != instance || letter.sender_gone) continue;
    letter.sender_gone = true;
    insist(how == End::kKilled || letter.outcome != Outcome::kNone, "every letter has its outcome",
           [&] { return describe(letter) + " has none, though its program closed"; });
  }
}

// ---- Sending
// -------------------------------------------------------------------------------------

Serial LetterBook::write(InstanceId sender, std::string_view to, Kind kind) {
  const Serial serial = letters_.size() + 1;
  letters_.push_back({.serial = serial, .sender = sender, .to = std::string(to), .kind = kind});
  letters_.back().sender_gone = instances_[sender].plain;
  return serial;
}

void LetterBook::forget(Serial serial) {
  if (serial == letters_.size()) return letters_.pop_back();
  letters_[serial - 1].sender_gone = true;
}

void LetterBook::note_id(Serial serial, std::uint64_t id) {
  bind(letters_[serial - 1], id);
}

void LetterBook::note_deferred(Serial serial) {
  const Letter& letter = letters_[serial - 1];
  instances_[letter.sender].deferred[letter.to].push_back(serial);
}

void LetterBook::bind(Letter& letter, std::uint64_t id) {
  if (letter.id == id) return;
  insist(letter.id == 0, "one id",
         [&] { return fmt::format("{} came with the id {}", describe(letter), id); });
  letter.id = id;
  Instance& sender = instances_[letter.sender];
  const bool fresh = sender.by_id.empty() || sender.by_id.rbegin()->first < id;
  auto& deferred = sender.deferred[letter.to];
  const auto waited = std::find(deferred.begin(), deferred.end(), letter.serial);
  insist(fresh || waited != deferred.end(), "ids increase", [&] {
    return fmt::format("{} after #{}", describe(letter), sender.by_id.rbegin()->first);
  });
  if (waited != deferred.end()) deferred.erase(waited);
  const bool added = sender.by_id.emplace(id, letter.serial).second;
  insist(added, "one id", [&] { return describe(letter) + " has the id of another"; });
}

// ---- Receiving
// -----------------------------------------------------------------------------------

LetterBook::Letter& LetterBook::letter_of(const EnvelopeView& view) {
  const Serial serial = serial_in(view.body);
  insist(serial > 0 && serial <= letters_.size(), "only what was sent",
         [&] { return fmt::format("#{} from {} is no letter", view.id, view.from); });
  Letter& letter = letters_[serial - 1];
  insist(view.from == instances_[letter.sender].name && view.kind() == letter.kind,
         "only what was sent", [&] {
           return fmt::format("{} came as {} from {}", describe(letter), kind_name(view.kind()),
                              view.from);
         });
  bind(letter, view.id);
  return letter;
}

void LetterBook::note_arrived(InstanceId recipient, const EnvelopeView& view) {
  Letter& letter = letter_of(view);
  insist(letter.to == instances_[recipient].name, "to whom it was sent", [&] {
    return fmt::format("{} arrived at {}", describe(letter), instances_[recipient].name);
  });
  letter.arrived = true;
}

void LetterBook::note_given(InstanceId recipient, const EnvelopeView& view) {
  Letter& letter = letter_of(view);
  Instance& it = instances_[recipient];
  insist(!it.ended, "nothing for a closed program",
         [&] { return describe(letter) + " was given to a program that is over"; });
  insist(it.given.emplace(letter.serial, true).second, "nothing twice",
         [&] { return describe(letter) + " was given to the same program again"; });
  // Another instance may have had it since in a later run of the broker: once per instance. And the
  // reply to a request may come while a copy is on its way.
  const bool elsewhere =
      letter.outcome == Outcome::kDelivered && (it.run < run_ || letter.kind == Kind::kRequest);
  const bool settled = letter.outcome != Outcome::kNone && !may_have_been_taken(letter.outcome) &&
                       !letter.sender_gone;
  insist(!settled || elsewhere, "nothing after its outcome",
         [&] { return describe(letter) + " was given to a program after its outcome"; });
  std::uint64_t& last = it.last_given[instances_[letter.sender].name];
  insist(view.id > last, "order",
         [&] { return fmt::format("{} was given after #{}", describe(letter), last); });
  last = view.id;
  letter.given = true;
  it.untaken.push_back(letter.serial);
}

void LetterBook::note_read(InstanceId recipient, const EnvelopeView& view) {
  note_arrived(recipient, view);
  Letter& letter = letter_of(view);
  letter.given = letter.taken = true;
}

void LetterBook::note_taken(InstanceId recipient) {
  for (const Serial serial : std::exchange(instances_[recipient].untaken, {})) {
    letters_[serial - 1].taken = true;
  }
}

void LetterBook::note_run(InstanceId instance, std::uint64_t run) {
  instances_[instance].run = run;
  run_ = std::max(run_, run);
}

// ---- What senders are told
// -----------------------------------------------------------------------

LetterBook::Letter& LetterBook::reported(InstanceId sender, const peer::OutcomeReport& report) {
  Instance& it = instances_[sender];
  if (const auto known = it.by_id.find(report.id); known != it.by_id.end()) {
    return letters_[known->second - 1];
  }
  // One that waited for credit, and never went or was not seen yet.
  auto& deferred = it.deferred[report.to];
  insist(!deferred.empty(), "only what was sent", [&] {
    return fmt::format("{} was told {} of #{} to {}, which it never sent", it.name,
                       outcome_name(report.outcome), report.id, report.to);
  });
  Letter& letter = letters_[deferred.front() - 1];
  bind(letter, report.id);
  return letter;
}

void LetterBook::note_report(InstanceId sender, const peer::OutcomeReport& report) {
  Letter& letter = reported(sender, report);
  insist(letter.to == report.to, "whom it concerns",
         [&] { return fmt::format("{} was reported as one to {}", describe(letter), report.to); });
  insist(letter.kind != Kind::kRequest, "requests have their own outcome",
         [&] { return describe(letter) + " was reported"; });
  tell(letter, report.outcome);
}

InstanceId LetterBook::note_reply(const peer::Message& message) {
  const Serial serial = serial_in(message.body);
  insist(serial > 0 && serial <= letters_.size(), "only what was sent",
         [&] { return fmt::format("a reply #{} from {} is no letter", message.id, message.from); });
  Letter& reply = letters_[serial - 1];
  insist(reply.kind == Kind::kReply && message.from == instances_[reply.sender].name,
         "only what was sent", [&] { return describe(reply) + " came as a reply"; });
  insist(!reply.given, "nothing twice", [&] { return describe(reply) + " was a reply before"; });
  reply.given = true;
  const bool denied = reply.outcome != Outcome::kNone && reply.outcome != Outcome::kLost &&
                      reply.outcome != Outcome::kDelivered;
  insist(!denied, "no contradiction",
         [&] { return describe(reply) + " answered a request all the same"; });
  return reply.sender;
}

void LetterBook::note_answer(Serial request, const peer::Answer<peer::Message>& answer) {
  Letter& letter = letters_[request - 1];
  if (answer) {
    if (letter.to.empty()) return tell(letter, Outcome::kDelivered);
    const InstanceId answerer = note_reply(*answer);
    insist(name_of(answerer) == letter.to, "the reply to its request", [&] {
      return fmt::format("{} was answered by {}", describe(letter), name_of(answerer));
    });
    return tell(letter, Outcome::kDelivered);
  }
  const peer::Failure& failure = answer.error();
  if (failure.fault == peer::Fault::kFailed) {
    insist(!is_success(failure.outcome), "outcomes of requests",
           [&] { return describe(letter) + " failed with a success: it waits for its reply"; });
    if (failure.outcome == Outcome::kRejected) return tell(letter, Outcome::kDelivered);
    return tell(letter, failure.outcome);
  }
  const bool known =
      failure.fault == peer::Fault::kTimedOut || failure.fault == peer::Fault::kClosed;
  insist(known, "outcomes of requests", [&] { return describe(letter) + ": " + failure.text; });
  tell(letter, Outcome::kTimedOut);
}

void LetterBook::tell(Letter& letter, Outcome outcome) {
  insist(letter.outcome == Outcome::kNone, "one outcome", [&] {
    return fmt::format("{} was told {} as well", describe(letter), outcome_name(outcome));
  });
  insist(!letter.sender_gone, "nothing for a closed program", [&] {
    return fmt::format("{} was told {} to a program that is over", describe(letter),
                       outcome_name(outcome));
  });
  const bool local = outcome == Outcome::kTimedOut && letter.kind == Kind::kRequest;
  insist(local || may_befall(outcome), "a fault of its own", [&] {
    return fmt::format("{}: {}, though its library keeps to the page", describe(letter),
                       outcome_name(outcome));
  });
  if (outcome == Outcome::kDelivered) check_success(letter, outcome);
  if (!local && !is_success(outcome)) check_failure(letter, outcome);
  insist(outcome != Outcome::kUnconfirmed || went_to_plain_client(letter), "unconfirmed",
         [&] { return describe(letter) + " is unconfirmed, though its recipient acknowledges"; });
  letter.outcome = outcome;
}

void LetterBook::check_success(const Letter& letter, Outcome outcome) const {
  if (letter.to.empty()) return;  // The broker took it.
  const bool is_reply = letter.kind == Kind::kReply;
  const bool taken = is_reply ? letter.arrived : letter.taken;
  const bool holds = taken || (letter.kind == Kind::kRequest && letter.given);
  insist(holds, "delivered means taken", [&] {
    return fmt::format("{} is {}, but no program took it{}", describe(letter),
                       outcome_name(outcome), letter.given ? " (it was given to one)" : "");
  });
}

bool LetterBook::went_to_plain_client(const Letter& letter) const {
  return std::any_of(instances_.begin(), instances_.end(), [&](const Instance& instance) {
    return instance.plain && instance.name == letter.to;
  });
}

void LetterBook::check_failure(const Letter& letter, Outcome outcome) const {
  if (may_have_been_taken(outcome)) return;
  insist(!letter.given, "no contradiction", [&] {
    return fmt::format("{} is {}, but a program was given it", describe(letter),
                       outcome_name(outcome));
  });
}

// ---- The end
// -------------------------------------------------------------------------------------

std::string LetterBook::describe(const Letter& letter) const {
  std::string text =
      fmt::format("letter {} ({} #{} from {} to {}", letter.serial, kind_name(letter.kind),
                  letter.id, instances_[letter.sender].name, letter.to);
  if (letter.outcome != Outcome::kNone) {
    text += fmt::format(", told {}", outcome_name(letter.outcome));
  }
  return text + ")";
}

std::string LetterBook::open_letters() const {
  std::string text;
  std::size_t count = 0;
  for (const Letter& letter : letters_) {
    if (letter.sender_gone || letter.outcome != Outcome::kNone) continue;
    if (++count <= 5) text += (text.empty() ? "" : "; ") + describe(letter);
  }
  if (count > 5) text += fmt::format("; and {} more", count - 5);
  return text;
}

}  // namespace zpost::sim
