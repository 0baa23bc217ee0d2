// What the tap is told. protocol/SPEC.md, section 12.
#include <algorithm>
#include <utility>

#include "broker/core/router_impl.h"

namespace zpost::core {

/// A tap record begun: the rest of it is the caller's. Valid until the next.
TapNote& Router::Impl::note(TapEvent event, NameId from, NameId to, std::uint8_t kind) {
  TapNote& note = out_->tap.emplace_back();
  note.record.time_ns = now_.wall_ns;
  note.record.from = from;
  note.record.to = to;
  note.record.kind = kind;
  note.record.event = event;
  return note;
}

/// Which envelopes of this frame the note speaks of.
void Router::Impl::show(TapNote& note, const Shown& shown) {
  note.record.first_id = shown.first_id;
  note.record.last_id = shown.last_id;
  note.record.count = shown.count;
  note.record.bytes = shown.end - shown.begin;
  note.offset = shown.begin;
  note.length = shown.end - shown.begin;
}

void Router::Impl::note_range(const Range& range) {
  const Pair& pair = pairs_[range.pair];
  const Shown all{range.begin, range.end, range.count, range.first_id, range.last_id};
  for_even_runs(all, [&](const Shown& run) {
    if (continue_note(pair, range.kind, run)) return;
    show(note(TapEvent::kReceived, pair.from, pair.to, range.kind), run);
  });
}

/// What a recipient gets in several frames came as one run all the same. False: `run` does not
/// follow what was noted last.
bool Router::Impl::continue_note(const Pair& pair, std::uint8_t kind, const Shown& run) {
  if (out_->tap.empty()) return false;
  TapNote& last = out_->tap.back();
  TapRecord& record = last.record;
  const bool alike = record.event == TapEvent::kReceived && record.kind == kind &&
                     record.from == pair.from && record.to == pair.to;
  if (!alike || record.last_id + 1 != run.first_id || last.offset + last.length != run.begin) {
    return false;
  }
  record.last_id = run.last_id;
  record.count += run.count;
  record.bytes += run.end - run.begin;
  last.length += run.end - run.begin;
  return true;
}

/// Calls visit(Shown) for each part whose ids follow one another. All of it is one, unless its
/// sender leaves ids out.
template <typename Visit>
void Router::Impl::for_even_runs(const Shown& all, Visit visit) {
  if (all.last_id - all.first_id + 1 == all.count) return visit(all);
  FrameReader reader(frame_.subspan(all.begin, all.end - all.begin));
  EnvelopeView view;
  Shown run{all.begin, all.begin, 0, all.first_id, all.first_id};
  while (reader.next(view)) {
    if (run.count > 0 && view.id != run.last_id + 1) {
      visit(run);
      run = {run.end, run.end, 0, view.id, view.id};
    }
    run.end += static_cast<std::uint32_t>(view.bytes.size());
    run.last_id = view.id;
    ++run.count;
  }
  if (run.count > 0) visit(run);
}

HeldWhy Router::Impl::held_why(const Session& to) const {
  if (to.state == Session::State::kExpected) return HeldWhy::kNotThereYet;
  if (to.state == Session::State::kAway || to.connection == kNone) return HeldWhy::kAway;
  if (to.blocked_since != 0) return HeldWhy::kPipeFull;
  const Stream& stream = to.stream;
  const Bundle& next = stream.bundles[stream.handed];
  return stream.handed_count + next.count > stream.demand ? HeldWhy::kNoDemand
                                                          : HeldWhy::kWindowFull;
}

// ---- What moved in a stream
// ----------------------------------------------------------------------

/// Tells what of the stream was handed over since, and what waits. The tap is told of the former
/// only where the pipe is known to take it: otherwise each try would be a story of its own.
void Router::Impl::note_moves(Session& session) {
  Stream& stream = session.stream;
  Told& told = stream.told;
  const std::uint64_t gone =
      session.blocked_since != 0 ? std::max(told.gone, stream.acked) : stream.handed_count;
  if (noting()) {
    // What was settled meanwhile is known to have gone.
    told.gone = std::max(told.gone, stream.acked);
    if (told.known <= told.gone) find_place(stream, stream.entered - told.gone);
    note_gone(session, gone);
    note_held(session);
  }
  told.gone = gone;
  told.known = noting() ? stream.entered : gone;
  if (session.topics.dropped > 0) note_dropped(session);
}

/// Where the last `count` of the stream begin.
void Router::Impl::find_place(Stream& stream, std::uint64_t count) {
  RunPlace& place = stream.told.next;
  place = {stream.runs.size(), 0};
  while (count > 0) {
    const std::uint32_t there = stream.runs[--place.index].count;
    place.offset = there - static_cast<std::uint32_t>(std::min<std::uint64_t>(there, count));
    count -= there - place.offset;
  }
}

void Router::Impl::note_gone(Session& session, std::uint64_t gone) {
  Told& told = session.stream.told;
  while (told.gone < gone) {
    // A part is told alike: what went out again, what had waited, what went at once.
    std::uint64_t end = gone;
    const bool again = told.gone < told.again;
    const bool waited = told.gone < told.known;
    if (again) end = std::min(end, told.again);
    if (waited) end = std::min(end, told.known);
    const Moved how{TapEvent::kForwarded, static_cast<std::uint16_t>(again ? 1 : 0),
                    again || waited};
    note_lanes(session, told.next, end - told.gone, how);
    told.gone = end;
  }
}

void Router::Impl::note_held(Session& session) {
  Stream& stream = session.stream;
  const std::uint64_t begin = std::max(stream.told.known, stream.told.gone);
  if (stream.entered <= begin) return;
  RunPlace place = stream.told.next;
  skip(stream, place, begin - stream.told.gone);
  const auto why = static_cast<std::uint16_t>(held_why(session));
  note_lanes(session, place, stream.entered - begin, {TapEvent::kHeld, why, true});
}

void Router::Impl::skip(const Stream& stream, RunPlace& place, std::uint64_t count) {
  while (count > 0) {
    const std::uint32_t there = stream.runs[place.index].count - place.offset;
    const auto part = static_cast<std::uint32_t>(std::min<std::uint64_t>(there, count));
    count -= part;
    place.offset += part;
    if (count > 0) place = {place.index + 1, 0};
  }
}

/// One note for neighbours of one sender and kind. Moves `place` on by `count` envelopes.
void Router::Impl::note_lanes(Session& session, RunPlace& place, std::uint64_t count,
                              const Moved& how) {
  Stream& stream = session.stream;
  TapNote* last = nullptr;
  PairIndex last_pair = kNone;
  while (count > 0) {
    if (place.offset == stream.runs[place.index].count) place = {place.index + 1, 0};
    const Run& run = stream.runs[place.index];
    const auto part =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(run.count - place.offset, count));
    count -= part;
    if (run.pair == kCallCopy) {
      // That a worker has it is told when it is given to it.
      if (how.calls)
        note_exchange(exchanges_[run.stride], how.event, session.name, run.first, how.code);
      last = nullptr;
    } else if (run.pair < kCallCopy) {
      TapRecord here;
      here.first_id = run.id(place.offset);
      here.last_id = run.id(place.offset + part - 1);
      here.count = part;
      const bool joins = last != nullptr && last_pair == run.pair &&
                         last->record.kind == run.kind && goes_on_with(last->record, here);
      if (!joins) {
        last = &note(how.event, pairs_[run.pair].from, session.name, run.kind);
        last->record.first_id = here.first_id;
        last->record.code = how.code;
      }
      last->record.last_id = here.last_id;
      last->record.count += part;
      last->record.bytes += part * run.size;
      last_pair = run.pair;
    } else {
      last = nullptr;  // The broker's own, and what is published, are nobody's to follow here.
    }
    place.offset += part;
  }
}

/// Copies of publishes that the subscriber does not get.
void Router::Impl::note_dropped(Session& subscriber) {
  const std::uint64_t count = std::exchange(subscriber.topics.dropped, 0);
  if (!noting()) return;
  TapRecord& record = note(TapEvent::kDropped, kBrokerName, subscriber.name,
                           static_cast<std::uint8_t>(Kind::kPublish))
                          .record;
  record.count = static_cast<std::uint32_t>(std::min<std::uint64_t>(count, UINT32_MAX));
  record.code = static_cast<std::uint16_t>(Outcome::kDropped);
}

// ---- Publishes, calls, sessions
// ------------------------------------------------------------------

void Router::Impl::note_topics(const TopicRange& range) {
  const Session& sender = session_at(pairs_[range.pair].sender);
  const std::uint32_t queues = queues_of(sender, range.audience);
  const Shown all{range.begin, range.end, range.count, range.first_id, range.last_id};
  for_even_runs(all, [&](const Shown& run) {
    TapNote& received = note(TapEvent::kReceived, pairs_[range.pair].from, range.topic,
                             static_cast<std::uint8_t>(Kind::kPublish));
    show(received, run);
    TapNote given = received;
    given.length = 0;
    given.record.event = TapEvent::kForwarded;
    given.record.code = static_cast<std::uint16_t>(std::min<std::uint32_t>(queues, UINT16_MAX));
    out_->tap.push_back(given);
  });
}

/// `last_id`: of the reply, if there is one.
void Router::Impl::note_exchange(const Exchange& exchange, TapEvent event, NameId other,
                                 std::uint64_t last_id, std::uint16_t code) {
  const Kind kind = exchange.service == kNone ? Kind::kRequest : Kind::kCall;
  TapRecord& record = note(event, exchange.caller, other, static_cast<std::uint8_t>(kind)).record;
  record.first_id = exchange.id;
  record.last_id = last_id;
  record.count = 1;
  record.code = code;
}

/// A call in its service's queue.
void Router::Impl::note_waiting(const Exchange& call, HeldWhy why) {
  note_exchange(call, TapEvent::kHeld, pairs_[call.pair].to, call.id,
                static_cast<std::uint16_t>(why));
}

void Router::Impl::note_call(const Exchange& call, TapEvent event, const EnvelopeView& view) {
  TapNote& noted =
      note(event, call.caller, pairs_[call.pair].to, static_cast<std::uint8_t>(Kind::kCall));
  const auto begin = static_cast<std::uint32_t>(view.bytes.data() - frame_.data());
  const auto end = begin + static_cast<std::uint32_t>(view.bytes.size());
  show(noted, {begin, end, 1, call.id, call.id});
}

void Router::Impl::note_unheard(const Run& run, const Session& recipient, Outcome why) {
  const NameId from = run.pair >= kTopicCopy ? kBrokerName : pairs_[run.pair].from;
  TapRecord& record = note(TapEvent::kFailed, from, recipient.name, run.kind).record;
  record.first_id = run.first;
  record.last_id = run.id(run.count - 1);
  record.count = run.count;
  record.bytes = run.count * run.size;
  record.code = static_cast<std::uint16_t>(why);
}

void Router::Impl::note_session(const Session& session, SessionChange change, Outcome code) {
  if (!noting()) return;
  TapRecord& record = note(TapEvent::kSession, session.name, kBrokerName, 0).record;
  record.code = static_cast<std::uint16_t>(change);
  record.first_id = static_cast<std::uint64_t>(code);
}

// ---- Senders that must wait
// ----------------------------------------------------------------------

/// Whether there is too little left of the sender's credit, or of its limit for one recipient, to
/// go on with what it did.
bool Router::Impl::is_spent(const Session& sender, PairIndex index) const {
  const std::uint64_t left =
      sender.credit > sender.received_cost ? sender.credit - sender.received_cost : 0;
  if (left < sender.credit_size / kSpentShare) return true;
  if (index == kNoPair || pairs_[index].sender != sender.id) return false;
  return pairs_[index].outstanding() > sender.pair_limit - sender.pair_limit / kSpentShare;
}

/// After each of its frames, and each receipt: a sender is told of when it waits for long.
void Router::Impl::watch_flow(Session& sender, PairIndex index) {
  if (is_spent(sender, index)) {
    if (sender.spent_since != 0) return;
    sender.spent_since = now_.steady_ns;
    sender.spent_pair = index;
    return;
  }
  if (sender.spent_since == 0) return;
  sender.spent_since = 0;
  if (std::exchange(sender.spent_told, false)) note_flow(sender, FlowChange::kGoesOn);
}

/// Now and then.
void Router::Impl::tell_stall(Session& sender) {
  const bool long_enough =
      sender.spent_since != 0 && now_.steady_ns - sender.spent_since >= kSweepPeriod;
  if (!long_enough || sender.spent_told) return;
  sender.spent_told = true;
  note_flow(sender, FlowChange::kStalled);
}

void Router::Impl::note_flow(const Session& sender, FlowChange change) {
  if (!noting()) return;
  const PairIndex index = sender.spent_pair;
  const bool by_pair = index != kNoPair && pairs_[index].sender == sender.id;
  const NameId to = by_pair ? pairs_[index].to : kBrokerName;
  TapRecord& record = note(TapEvent::kFlow, sender.name, to, 0).record;
  record.first_id = record.last_id = sender.highest_id;
  record.count = 1;
  record.bytes =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(sender.outstanding(), UINT32_MAX));
  record.code = static_cast<std::uint16_t>(change);
}

/// A question to the broker itself.
void Router::Impl::note_asked(const Session& session, const EnvelopeView& view, AdminOp op) {
  if (!noting()) return;
  TapRecord& record = note(TapEvent::kAsked, session.name, kBrokerName, view.kind_number).record;
  record.first_id = record.last_id = view.id;
  record.count = 1;
  record.bytes = static_cast<std::uint32_t>(view.bytes.size());
  record.code = static_cast<std::uint16_t>(op);
}

}  // namespace zpost::core
