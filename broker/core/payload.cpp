// Payload: whose it is, whom it goes to, whether it may. The hot path.
#include <algorithm>

#include "broker/core/router_impl.h"

namespace zpost::core {

namespace {

/// Where a name's pair stands in a session's cache: spreads names that differ at either end.
std::size_t pair_slot(std::string_view to) {
  if (to.empty()) return 0;
  const auto first = static_cast<unsigned char>(to.front());
  const auto last = static_cast<unsigned char>(to.back());
  return (first + 3U * last + to.size()) & 7U;
}

/// A name, or empty: the broker.
bool may_be_recipient(std::string_view to) {
  return to.empty() || is_name(to);
}

}  // namespace

void Router::Impl::payload(Session& session, const EnvelopeView& view) {
  // A peer with copies repeats this to the broker's next run; others are told.
  if (draining && session.hello.resume) return;

  const std::uint64_t cost = cost_of(view.bytes.size());
  const bool alone = session.outstanding() == 0;
  ++accounting.received;
  ++session.sent;
  session.received_cost += cost;
  session.last_payload = now_.steady_ns;
  // Of the envelope before, if this one has its names and those were in order.
  PairIndex index = view.repeats_route ? route_ : kNoPair;
  if (!view.repeats_route) knows_topic_ = false;
  route_ = kNoPair;
  meta_ = {};
  detail_ = Detail::kQueue;
  if (const Outcome wrong = check_id(session, view, index != kNoPair); wrong != Outcome::kNone) {
    return fail(session, {kNoPair, view.id, view.kind_number, cost, wrong});
  }
  if (index == kNoPair) index = pair_of(session, view);
  route_ = index;
  if (index == kNoPair) {
    return fail(session, {kNoPair, view.id, view.kind_number, cost, no_pair(session, view)});
  }
  if (const Outcome refusal = check(session, pairs_[index], view, alone);
      refusal != Outcome::kNone) {
    fail(session, {index, view.id, view.kind_number, cost, refusal, detail_});
    if (view.kind() == Kind::kReply) on_reply(session, view, pairs_[index].to, refusal);
    return;
  }
  if (pairs_[index].to == kBrokerName) return admin(session, index, view);
  senders_.count(session.sent_in, session.credit_size, limits);
  if (view.kind() == Kind::kPublish) return publish(session, index, view);
  if (view.kind() == Kind::kCall) return call(session, index, view);
  accept(index, view);
  if (view.kind() == Kind::kReply) return on_reply(session, view, pairs_[index].to, Outcome::kNone);
  if (view.kind() != Kind::kRequest) return;
  const ExchangeId request = open_exchange(session, view);
  exchanges_.hold(request, session_at(directory.session(pairs_[index].to)));
}

/// Why there is no pair for the envelope.
Outcome Router::Impl::no_pair(Session& session, const EnvelopeView& view) {
  const bool is_publish = view.kind() == Kind::kPublish;
  const bool is_call = view.kind() == Kind::kCall;
  const bool named = is_publish ? is_topic(view.to)
                     : is_call  ? is_name(view.to)
                                : may_be_recipient(view.to);
  if (named) return Outcome::kFull;
  violation(session, is_publish ? "to is not a topic" : "to is not a name");
  return Outcome::kBadName;
}

/// What the envelope counts for, as its sender's; kNoPair: no_pair() says why.
PairIndex Router::Impl::pair_of(Session& session, const EnvelopeView& view) {
  switch (view.kind()) {
    case Kind::kPublish:
      if (const Route* const known = routes_.find(view.to)) {
        topic_ = *known;
        knows_topic_ = true;
        return topics_pair(session);
      }
      return is_topic(view.to) ? topics_pair(session) : kNoPair;
    case Kind::kCall:
      return is_name(view.to) ? service_pair(session, view.to) : kNoPair;
    default:
      return pair_for(session, view.to);
  }
}

/// What makes the id void. What is wrong beyond that settles it, in the order of ids to its
/// recipient.
Outcome Router::Impl::check_id(Session& session, const EnvelopeView& view, bool names_checked) {
  if (!names_checked && view.from != name_of(session)) {
    violation(session, "from is not the connection's name");
    return Outcome::kForged;
  }
  if (view.id <= session.highest_id) {
    violation(session, "an id not above the highest");
    return Outcome::kDuplicate;
  }
  if (view.id > std::max(now_.wall_ns, id_base_) + kMaxIdLead) {
    violation(session, "an id far ahead of the clock");
    return Outcome::kBadId;
  }
  session.highest_id = view.id;
  return Outcome::kNone;
}

/// `alone`: the sender had nothing outstanding before.
Outcome Router::Impl::check(Session& session, const Pair& pair, const EnvelopeView& view,
                            bool alone) {
  if (const Outcome wrong = check_sender(session, session.received_cost, alone);
      wrong != Outcome::kNone) {
    if (wrong == Outcome::kOverCredit) violation(session, "over credit");
    return wrong;
  }
  if (limits.rate > 0) session.rate_until = rate_after(session);
  if (view.has_meta()) {
    if (const Outcome wrong = check_meta(session, view); wrong != Outcome::kNone) return wrong;
  }
  const std::size_t size = view.bytes.size();
  if (const Outcome wrong = check_any(size); wrong != Outcome::kNone) return wrong;
  if (pair.to == kBrokerName) return Outcome::kNone;

  const std::uint64_t cost = cost_of(size);
  if ((pair.outstanding() + cost) * 2 > session.pair_limit ||
      session.outstanding() * 2 > session.credit_size) {
    session.pressed = true;
  }
  if (is_over_pair_limit(session, pair, cost)) {
    violation(session, "over the pair limit");
    return Outcome::kOverCredit;
  }
  const SessionId to = directory.session(pair.to);
  const Outcome wrong = check_way(session, view, size, to);
  const bool is_direct = view.kind() != Kind::kPublish && view.kind() != Kind::kCall;
  if (wrong == Outcome::kNone && to == kNone && is_direct) expect(session, pair.to);
  return wrong;
}

// What follows decides and changes nothing that counts: foresee() asks it as well.

/// What the sender's own limits forbid, once it has sent payload of `received` cost in all.
/// `alone`: it had nothing outstanding before.
Outcome Router::Impl::check_sender(const Session& session, std::uint64_t received,
                                   bool alone) const {
  if (received > session.credit && !alone) return Outcome::kOverCredit;
  const bool fast = limits.rate > 0 && rate_after(session) > now_.steady_ns;
  return fast ? Outcome::kOverRate : Outcome::kNone;
}

/// A bucket that holds a second's worth: each envelope takes its share of time. When that is over.
std::int64_t Router::Impl::rate_after(const Session& session) const {
  const std::int64_t begin = std::max(session.rate_until, now_.steady_ns - kSecond);
  return begin + kSecond / static_cast<std::int64_t>(limits.rate);
}

/// What forbids an envelope of `size` bytes, wherever it goes.
Outcome Router::Impl::check_any(std::size_t size) const {
  if (size > limits.max_envelope) return Outcome::kTooLarge;
  return draining ? Outcome::kDraining : Outcome::kNone;
}

bool Router::Impl::is_over_pair_limit(const Session& session, const Pair& pair,
                                      std::uint64_t cost) {
  return pair.outstanding() > 0 && pair.outstanding() + cost > session.pair_bound;
}

/// What forbids it where it goes. `to`: who holds the name of a send, request or reply; kNone:
/// nobody. REQUIRES: meta_ is read.
Outcome Router::Impl::check_way(const Session& session, const EnvelopeView& view, std::size_t size,
                                SessionId to) {
  if (view.kind() == Kind::kPublish) return check_publish(session, view, size);
  if (view.kind() == Kind::kCall) return check_call(session, view, size);
  if (view.kind() == Kind::kRequest) {
    if (const Outcome wrong = check_exchange(session); wrong != Outcome::kNone) return wrong;
  }
  return check_recipient(session, view.to, to, size);
}

Outcome Router::Impl::check_meta(Session& session, const EnvelopeView& view) {
  const auto meta = read_meta(view);
  if (!meta) {
    violation(session, meta.error().text);
    return Outcome::kMalformed;
  }
  meta_ = *meta;
  const bool is_question = view.kind() == Kind::kRequest || view.kind() == Kind::kCall;
  const bool deadline = meta_.deadline_ns != 0 && !is_question;
  return meta_.durable || deadline ? Outcome::kUnsupported : Outcome::kNone;
}

Outcome Router::Impl::check_recipient(const Session& sender, std::string_view name, SessionId to,
                                      std::size_t size) const {
  if (over_memory()) return Outcome::kFull;
  if (to == kNone && !may_expect(sender, name)) return Outcome::kNoPeer;
  const std::uint64_t before = to == kNone ? 0 : sessions_[to]->stream.bytes;
  if (before > 0 && before + size > limits.queue) return Outcome::kFull;
  // Credit admits one envelope of any size: of many peers that may be too much.
  if (held_bytes + size > limits.memory) return Outcome::kFull;
  return Outcome::kNone;
}

void Router::Impl::accept(PairIndex index, const EnvelopeView& view) {
  Pair& pair = pairs_[index];
  const auto size = static_cast<std::uint32_t>(view.bytes.size());
  ++pair.held_count;
  pair.held_cost += cost_of(size);
  pair.last_id = view.id;
  ++accounting.held;

  const SessionId to = directory.session(pair.to);
  Stream& stream = session_at(to).stream;
  add_run(stream, index, view.id, size, view.kind_number);

  const auto begin = static_cast<std::uint32_t>(view.bytes.data() - frame_.data());
  if (!ranges_.empty() && !stream.apart) {
    Range& last = ranges_.back();
    if (last.pair == index && last.end == begin && last.kind == view.kind_number) {
      last.end = begin + size;
      ++last.count;
      last.last_id = view.id;
      return;
    }
  }
  ranges_.push_back({to, index, view.kind_number, begin, begin + size, 1, view.id, view.id});
}

void Router::Impl::add_run(Stream& stream, PairIndex pair, std::uint64_t id, std::uint32_t size,
                           std::uint8_t kind) {
  stream.bytes += size;
  held_bytes += size;
  if (is_own(pair)) own_bytes_ += size;
  if (kind == static_cast<std::uint8_t>(Kind::kGap)) gap_bytes += size;
  if (!stream.runs.empty()) {
    Run& last = stream.runs.back();
    if (last.pair == pair && last.size == size && last.kind == kind && last.count < UINT32_MAX) {
      const std::uint64_t step = id - last.id(last.count - 1);
      if (last.count == 1 && step <= UINT32_MAX) last.stride = static_cast<std::uint32_t>(step);
      const bool fits = step == last.stride && (last.count > 1 || step <= UINT32_MAX);
      if (fits && came_together(stream, now_.steady_ns)) {
        ++last.count;
        return;
      }
    }
  }
  stream.runs.push_back({id, pair, 1, 0, size, kind, now_.steady_ns});
}

/// The first `count` of `run` are held no longer.
void Router::Impl::uncharge_run(const Run& run, std::uint32_t count) {
  const std::uint64_t bytes = count * std::uint64_t{run.size};
  if (is_own(run.pair)) own_bytes_ -= bytes;
  if (run.kind == static_cast<std::uint8_t>(Kind::kGap)) gap_bytes -= bytes;
}

/// Whether what comes now may join the latest run, which gives it the time of that one's first. If
/// not in the same turn, then only as far as it hardly matters beside how long the oldest waits, so
/// that a queue where nothing moves has few runs.
bool Router::Impl::came_together(const Stream& stream, std::int64_t received_ns) {
  const std::int64_t apart = received_ns - stream.runs.back().received_ns;
  return apart <= (received_ns - stream.runs.front().received_ns) / 8;
}

/// Moves what was accepted of this frame to its recipients.
void Router::Impl::commit_ranges() {
  // First, since its runs stand in the streams already: what publishes hand over comes behind them.
  commit_direct();
  commit_topics();
}

/// The whole frame goes by reference if all of it goes to one.
void Router::Impl::commit_direct() {
  if (ranges_.empty()) return;
  const Range& first = ranges_.front();
  const bool whole = frame_.size() > kWholeFrameBytes && first.begin == 0 &&
                     ranges_.back().end == frame_.size() &&
                     std::all_of(ranges_.begin(), ranges_.end(),
                                 [&](const Range& range) { return range.to == first.to; });
  // Failed envelopes between ranges leave a hole: then the frame is not whole.
  std::uint32_t covered = 0;
  for (const Range& range : ranges_) covered += range.end - range.begin;
  std::uint32_t count = 0;
  for (const Range& range : ranges_) count += range.count;
  if (whole && covered == frame_.size() && (count == 1 || !session_at(first.to).stream.apart)) {
    Session& to = session_at(first.to);
    Action& action = act(Op::kWhole);
    action.session = to.id;
    to.stream.open = false;
    to.stream.bundles.push_back({count, static_cast<std::uint32_t>(frame_.size())});
    to.stream.entered += count;
  } else {
    for (const Range& range : ranges_) append_range(range);
  }
  for (const Range& range : ranges_) {
    Session& to = session_at(range.to);
    if (noting()) note_range(range);
    // What is full goes at once, so that the recipient works while this turn goes on.
    if (!to.stream.open || to.stream.bundles.back().bytes >= kBundleBytes) flush_stream(to);
    touch(to);
  }
  ranges_.clear();
}

void Router::Impl::append_range(const Range& range) {
  append(session_at(range.to), Source::kFrame, range.begin, range.end - range.begin, range.count);
}

/// The pair of `session` and `to`; kNoPair: not a name, or no room.
PairIndex Router::Impl::pair_for(Session& session, std::string_view to) {
  PairIndex& cached = session.pair_cache[pair_slot(to)];
  if (cached != 0 && directory.name(pairs_[cached - 1].to) == to) return cached - 1;
  if (!may_be_recipient(to)) return kNoPair;
  const PairIndex index = find_or_make_pair(session, to);
  cached = index == kNoPair ? 0 : index + 1;
  return index;
}

PairIndex Router::Impl::find_or_make_pair(Session& session, std::string_view to) {
  const NameId known = directory.find(to);
  if (known != kNone) {
    if (const auto found = session.pairs.find(known); found != session.pairs.end()) {
      return found->second;
    }
  }
  if (!may_have_another_pair(session)) {
    if (may_sweep_pairs(session)) sweep_pairs(session);
    if (!may_have_another_pair(session)) return kNoPair;
  }
  PairIndex index = 0;
  if (free_pairs_.empty()) {
    index = static_cast<PairIndex>(pairs_.size());
    pairs_.emplace_back();
  } else {
    index = free_pairs_.back();
    free_pairs_.pop_back();
  }
  Pair& pair = pairs_[index];
  pair = Pair{};
  pair.sender = session.id;
  pair.from = session.name;
  directory.acquire(session.name);
  pair.to = directory.acquire(to);
  session.pairs.emplace(pair.to, index);
  return index;
}

bool Router::Impl::may_have_another_pair(const Session& session) const {
  if (session.pairs.size() >= kMaxPairs) return false;
  return session.pairs.size() < kFewPairs || pairs() * kPairBytes < limits.memory / 16;
}

bool Router::Impl::may_sweep_pairs(const Session& session) const {
  return now_.steady_ns - session.pairs_swept >= kSecond;
}

/// Forgets pairs that were settled a while ago, and whose last receipt no resume need repeat.
void Router::Impl::sweep_pairs(Session& session) {
  session.pairs_swept = now_.steady_ns;
  for (auto at = session.pairs.begin(); at != session.pairs.end();) {
    const Pair& pair = pairs_[at->second];
    if (!is_forgettable(session, pair)) {
      if (is_old(pair) && session.latest_ping <= pair.told_at) ask_what_is_read(session);
      ++at;
      continue;
    }
    free_pair(at->second);
    at = session.pairs.erase(at);
  }
  session.pair_cache.fill(0);
  session.topics_pair = kNoPair;
}

bool Router::Impl::is_old(const Pair& pair) const {
  const std::int64_t old = now_.steady_ns - limits.silence_ns - limits.resume_ns;
  return pair.outstanding() == 0 && !pair.dirty && pair.told_at <= old;
}

/// A peer that sends on need not have read what it was told, however long ago; if it resumes, its
/// copies wait for that receipt. Only its pong shows that it has it.
bool Router::Impl::is_forgettable(const Session& session, const Pair& pair) const {
  const bool repeats = session.hello.resume && session.hello.pong;
  return is_old(pair) && (!repeats || pair.told_at < session.read_until);
}

/// Its pong comes in time for the next sweep.
void Router::Impl::ask_what_is_read(Session& session) {
  if (!session.hello.pong || session.ping_due) return;
  session.ping_due = true;
  touch(session);
}

void Router::Impl::free_pair(PairIndex index) {
  Pair& pair = pairs_[index];
  unsettled_.erase(index);
  directory.release(pair.from);
  directory.release(pair.to);
  pair = Pair{};
  free_pairs_.push_back(index);
}

/// Puts a failure, or the count of a publish, into the sender's outcome lane. The cost is charged
/// until it is acknowledged.
void Router::Impl::fail(Session& session, const Failure& failure) {
  const bool failed = failure.code != Outcome::kDelivered;
  if (failed) accounting.fail(failure.code);
  session.outcomes.push_back({failure.id, 0, failure.pair, static_cast<std::uint32_t>(failure.cost),
                              failure.code, failure.detail, failure.count});
  if (failure.pair != kNoPair) {
    Pair& pair = pairs_[failure.pair];
    const std::uint64_t lane = session.outcomes_acked + session.outcomes.size();
    if (pair.failed_count > 0) {
      OutcomeEntry& tail = session.outcomes[pair.failed_tail - session.outcomes_acked - 1];
      tail.next = lane;
      if (failure.id < tail.id) pair.failed_unordered = true;
    } else {
      pair.failed_head = lane;
    }
    pair.failed_tail = lane;
    ++pair.failed_count;
    pair.failed_cost += failure.cost;
    pair.last_id = std::max(pair.last_id, failure.id);
  }
  touch(session);
  if (!noting() || !failed) return;
  const NameId to = failure.pair == kNoPair ? kBrokerName : pairs_[failure.pair].to;
  TapRecord& record = note(TapEvent::kFailed, session.name, to, failure.kind).record;
  record.first_id = record.last_id = failure.id;
  record.count = 1;
  record.bytes = static_cast<std::uint32_t>(failure.cost - kEnvelopeOverhead);
  record.code = static_cast<std::uint16_t>(failure.code);
}

}  // namespace zpost::core
