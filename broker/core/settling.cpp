// What becomes of envelopes that were handed over: taken, doubted, settled with their senders.
// SPEC.md, sections 6 and 7.
#include <algorithm>

#include "broker/core/router_impl.h"

namespace zpost::core {

/// The recipient took everything up to these totals of its two lanes.
void Router::Impl::take(Session& session, std::uint64_t taken, std::uint64_t outcomes) {
  Stream& stream = session.stream;
  if (taken > stream.acked && taken <= stream.handed_count) {
    const std::uint64_t count = taken - stream.acked;
    take_up_to(session, taken);
    release_front(session, count);
    stream.acked = taken;
    session.taken += count;
    // A slow reader is no silent one.
    if (session.blocked_since != 0) session.blocked_since = now_.steady_ns;
    touch(session);
  }
  take_outcomes(session, outcomes);
}

/// Settles what was taken: most of it with success.
void Router::Impl::take_up_to(Session& session, std::uint64_t taken) {
  Ring<LaneRange>& doubts = session.doubts;
  std::uint64_t at = session.stream.acked;
  while (!doubts.empty() && doubts.front().first <= at) doubts.pop_front();
  while (at < taken) {
    if (doubts.empty() || doubts.front().first > taken) {
      return settle_front(session, taken - at, true);
    }
    LaneRange& doubt = doubts.front();
    settle_front(session, doubt.first - 1 - at, true);
    const std::uint64_t count = std::min(doubt.count, taken - doubt.first + 1);
    doubt_front(session, count);
    at = doubt.first - 1 + count;
    doubt.first += count;
    doubt.count -= count;
    if (doubt.count == 0) doubts.pop_front();
  }
}

/// The recipient dropped the `count` oldest envelopes, and may not have had them before.
void Router::Impl::doubt_front(Session& session, std::uint64_t count) {
  Ring<Run>& runs = session.stream.runs;
  while (count > 0) {
    Run& run = runs.front();
    const auto part = static_cast<std::uint32_t>(std::min<std::uint64_t>(count, run.count));
    count -= part;
    // Of calls, publishes and the broker's own nobody keeps a mark.
    const bool marked = run.pair < kCallCopy;
    if (marked) {
      Run dropped = run;
      dropped.count = part;
      run.first = run.id(part - 1) + run.stride;
      run.count -= part;
      accounting.held -= part;
      if (pairs_[run.pair].sender == kNone) {
        lose_unheard(dropped, session, Outcome::kLost);
      } else {
        lose_run(dropped, Outcome::kLost, Detail::kDoubt);
      }
    } else {
      settle_run(run, part, true);
    }
    session.stream.told.cut(part, run.count > 0);
    if (run.count == 0) runs.pop_front();
  }
}

/// Keeps what is in order and not taken yet.
void Router::Impl::note_doubts(Session& session, const std::vector<LaneRange>& ranges,
                               std::uint64_t handed) {
  if (!session.hello.acks) return;  // Its envelopes are settled as they go.
  for (const LaneRange& range : ranges) {
    const std::uint64_t known = session.doubts.empty()
                                    ? session.stream.acked
                                    : session.doubts.back().first + session.doubts.back().count - 1;
    const std::uint64_t limit = handed + 1;
    if (range.first >= limit) return;
    const std::uint64_t end = range.first + std::min(range.count, limit - range.first);
    const std::uint64_t first = std::max(range.first, known + 1);
    if (first < end) session.doubts.push_back({first, end - first});
  }
}

/// Settles the `count` oldest envelopes of the stream with their senders.
void Router::Impl::settle_front(Session& session, std::uint64_t count, bool confirmed) {
  Ring<Run>& runs = session.stream.runs;
  while (count > 0) {
    Run& run = runs.front();
    const auto part = static_cast<std::uint32_t>(std::min<std::uint64_t>(count, run.count));
    settle_run(run, part, confirmed);
    count -= part;
    session.stream.told.cut(part, run.count > 0);
    if (run.count == 0) runs.pop_front();
  }
}

/// Settles the first `count` of `run` and cuts them off it.
void Router::Impl::settle_run(Run& run, std::uint32_t count, bool confirmed) {
  if (run.pair == kCallCopy) {
    run.count = 0;
    return take_call(run.stride, confirmed);
  }
  const std::uint64_t last = run.id(count - 1);
  const std::uint64_t first = run.first;
  run.first = last + run.stride;
  run.count -= count;
  uncharge_run(run, count);
  if (run.pair == kUncounted) return;

  accounting.held -= count;
  (confirmed ? accounting.delivered : accounting.unconfirmed) += count;
  if (run.pair == kBrokerPayload) return;
  latencies_.delivery(run.kind).add(now_.steady_ns - run.received_ns, count);
  if (run.pair == kTopicCopy) return;

  Pair& pair = pairs_[run.pair];
  const std::uint64_t cost = count * cost_of(run.size);
  pair.held_count -= count;
  pair.held_cost -= cost;
  pair.last_taken_id = last;
  if (!confirmed) pair.last_unconfirmed_id = last;
  if (noting()) {
    TapRecord& record = note(TapEvent::kDelivered, pair.from, pair.to, run.kind).record;
    record.first_id = first;
    record.last_id = last;
    record.count = count;
    record.bytes = count * run.size;
    record.code =
        static_cast<std::uint16_t>(confirmed ? Outcome::kDelivered : Outcome::kUnconfirmed);
  }
  if (pair.sender == kNone) {
    orphan_cost_ -= cost;
    if (pair.held_count == 0) free_pair(run.pair);
    return;
  }
  Session& sender = session_at(pair.sender);
  settled(sender, cost, count);
  mark_dirty(run.pair);
}

/// Forgets the bundles whose envelopes are all among the `count` oldest.
void Router::Impl::release_front(Session& session, std::uint64_t count) {
  Stream& stream = session.stream;
  std::uint64_t taken = stream.front_taken + count;
  std::uint32_t bundles = 0;
  while (stream.handed > 0 && taken >= stream.bundles.front().count) {
    const Bundle& bundle = stream.bundles.front();
    taken -= bundle.count;
    stream.bytes -= bundle.bytes;
    stream.handed_bytes -= bundle.bytes;
    held_bytes -= bundle.bytes;
    --stream.handed;
    ++bundles;
    stream.bundles.pop_front();
  }
  stream.front_taken = static_cast<std::uint32_t>(taken);
  if (bundles == 0) return;
  Action& action = act(Op::kRelease);
  action.session = session.id;
  action.count = bundles;
}

void Router::Impl::take_outcomes(Session& session, std::uint64_t outcomes) {
  if (outcomes > session.outcomes_sent) return;
  while (session.outcomes_acked < outcomes) {
    const OutcomeEntry entry = session.outcomes.front();
    session.outcomes.pop_front();
    ++session.outcomes_acked;
    if (entry.ends_exchange) {
      --session.exchanges;
    } else if (entry.cost == 0) {
      --session.answers;
    }
    settled(session, entry.cost, 1);
    session.credit_due = true;
    if (entry.pair == kNoPair) continue;
    Pair& pair = pairs_[entry.pair];
    pair.failed_cost -= entry.cost;
    pair.failed_head = entry.next;
    if (--pair.failed_count == 0) pair.failed_unordered = false;
    mark_dirty(entry.pair);
  }
}

void Router::Impl::settled(Session& session, std::uint64_t cost, std::uint32_t count) {
  session.settled_cost += cost;
  session.settled_since_receipt += cost;
  session.settled_count_since_receipt += count;
  touch(session);
}

void Router::Impl::mark_dirty(PairIndex index) {
  Pair& pair = pairs_[index];
  if (pair.dirty) return;
  pair.dirty = true;
  session_at(pair.sender).dirty_pairs.push_back(index);
}

}  // namespace zpost::core
