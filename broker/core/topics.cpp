// Topics: who subscribes, what is published, and what becomes of it when a subscriber is slow.
// SPEC.md, section 16.
#include <fmt/format.h>

#include <algorithm>

#include "broker/core/router_impl.h"
#include "zpost/protocol/names.h"

namespace zpost::core {

namespace {

/// How much may wait in a subscriber's topic queue, which has `room`, before publishers wait: once
/// much of the memory `is_used`, its share of that less what it has not acknowledged.
std::uint64_t blocking_room(const Session& subscriber, std::uint64_t room, bool is_used) {
  if (!is_used) return room;
  const std::uint64_t share = subscriber.topics.share;
  return std::min(room, share - std::min(share, subscriber.stream.bytes));
}

}  // namespace

// ---- Subscriptions
// -------------------------------------------------------------------------------

void Router::Impl::on_subscribe(Session& session, const EnvelopeView& view) {
  const auto wanted = decode_subscribe(view.body);
  if (!wanted) return refuse_interest(session, view, wanted.error());
  before_routes_change();
  std::string pattern(wanted->pattern);
  const bool is_new = !session.subscriptions.contains(pattern);
  if (is_new && session.subscriptions.size() >= limits.subscriptions) {
    return answer_interest(session, view, Outcome::kFull, Detail::kSubscriptions);
  }
  if (is_new && routes_.size() >= limits.all_subscriptions) {
    return answer_interest(session, view, Outcome::kFull, Detail::kAllSubscriptions);
  }
  routes_.subscribe(pattern, {session.id, wanted->policy, wanted->excludes_own});
  std::uint32_t retained = wanted->skips_retained ? kNone : 0;
  if (is_new && !wanted->skips_retained) retained = send_retained(session, pattern, wanted->policy);
  answer_interest(session, view, Outcome::kDelivered, Detail::kQueue, retained);
  session.subscriptions.insert(std::move(pattern));
}

void Router::Impl::on_unsubscribe(Session& session, const EnvelopeView& view) {
  const auto pattern = decode_unsubscribe(view.body);
  if (!pattern) return refuse_interest(session, view, pattern.error());
  before_routes_change();
  if (session.subscriptions.erase(std::string(pattern->name)) > 0) {
    routes_.unsubscribe(pattern->name, session.id);
  }
  answer_interest(session, view, Outcome::kDelivered);
}

void Router::Impl::unsubscribe_all(Session& session) {
  if (session.subscriptions.empty()) return;
  before_routes_change();
  for (const std::string& pattern : session.subscriptions) {
    routes_.unsubscribe(pattern, session.id);
  }
  session.subscriptions.clear();
}

/// Audiences are void after this.
void Router::Impl::before_routes_change() {
  commit_ranges();
  knows_topic_ = false;
}

/// Tells the peer what became of its subscription, offer or watch, if it wants to know.
void Router::Impl::answer_interest(Session& session, const EnvelopeView& view, Outcome code,
                                   Detail detail, std::uint32_t count) {
  if (view.id == 0) {
    if (code != Outcome::kDelivered) {
      violation(session, fmt::format("{}: {}", kind_name(view.kind()),
                                     outcome_text(session, {.code = code, .detail = detail})));
    }
    return;
  }
  if (session.answers >= kMaxAnswers) {
    return violation(session, "it does not acknowledge answers to its subscriptions and the like");
  }
  ++session.answers;
  session.outcomes.push_back({.id = view.id, .code = code, .detail = detail, .count = count});
  touch(session);
}

/// Its body cannot be read.
void Router::Impl::refuse_interest(Session& session, const EnvelopeView& view, const Error& error) {
  violation(session, error.text);
  if (view.id != 0) answer_interest(session, view, Outcome::kMalformed);
}

// ---- Publishing
// ----------------------------------------------------------------------------------

/// The pair of all that the session publishes; kNoPair: no room.
PairIndex Router::Impl::topics_pair(Session& session) {
  if (session.topics_pair == kNoPair) session.topics_pair = find_or_make_pair(session, kAllTopics);
  return session.topics_pair;
}

/// What forbids a publish that is in order so far.
Outcome Router::Impl::check_publish(const Session& session, const EnvelopeView& view,
                                    std::size_t size) {
  if (over_memory()) return Outcome::kFull;
  if (!knows_topic_) topic_ = routes_.route(view.to);
  knows_topic_ = true;
  const bool somebody = queues_of(session, topic_.audience) > 0;
  if (!somebody && (meta_.wanted & kWantSubscriber) != 0) return Outcome::kNoSubscriber;
  if (!meta_.retain) return Outcome::kNone;
  if (meta_entries(view) >= kMaxMetaEntries) return Outcome::kMalformed;
  if (may_retain(view, size)) return Outcome::kNone;
  detail_ = Detail::kRetained;
  return Outcome::kFull;
}

/// Whether there is room for it as its topic's value.
bool Router::Impl::may_retain(const EnvelopeView& view, std::size_t size) const {
  if (view.body.empty()) return true;  // It clears the value.
  if (retained_bytes_ + size > limits.memory / 8) return false;
  return retained_.size() < limits.retained || retained_.contains(view.to);
}

/// How many queues take what the session publishes for this audience.
std::uint32_t Router::Impl::queues_of(const Session& session, AudienceId id) const {
  const Audience& audience = routes_.audience(id);
  const auto all = static_cast<std::uint32_t>(audience.members.size());
  if (!audience.some_exclude_own) return all;
  const bool without = std::any_of(
      audience.members.begin(), audience.members.end(),
      [&](const Subscriber& each) { return each.excludes_own && each.session == session.id; });
  return all - (without ? 1 : 0);
}

void Router::Impl::publish(Session& session, PairIndex index, const EnvelopeView& view) {
  if (meta_.retain) keep_retained(view);
  const std::uint32_t queues = queues_of(session, topic_.audience);
  if (queues > 0) {
    accounting.copies += queues - 1;
    accounting.held += queues;
  } else {
    accounting.fail(Outcome::kNoSubscriber);
  }
  Pair& pair = pairs_[index];
  std::uint64_t cost = cost_of(view.bytes.size());
  pair.last_id = view.id;
  if ((meta_.wanted & kWantCount) != 0) {
    // Of the cost, the notice carries the overhead until it is acknowledged.
    cost -= kEnvelopeOverhead;
    fail(session, {.pair = index,
                   .id = view.id,
                   .kind = view.kind_number,
                   .cost = kEnvelopeOverhead,
                   .code = Outcome::kDelivered,
                   .count = queues});
  }
  ++pairs_[index].held_count;
  pairs_[index].held_cost += cost;

  const auto begin = static_cast<std::uint32_t>(view.bytes.data() - frame_.data());
  const auto end = begin + static_cast<std::uint32_t>(view.bytes.size());
  if (!topic_ranges_.empty()) {
    TopicRange& last = topic_ranges_.back();
    // With the tap each topic has its own records.
    const bool same = tap_detail != TapDetail::kTopics || last.topic == topic_.name;
    if (same && last.audience == topic_.audience && last.end == begin) {
      last.end = end;
      ++last.count;
      last.last_id = view.id;
      last.cost += cost;
      return;
    }
  }
  topic_ranges_.push_back(
      {topic_.audience, index, topic_.name, begin, end, 1, view.id, view.id, cost});
}

/// Gives the publishes of this frame to their audiences: the whole frame by reference if it has
/// only one.
void Router::Impl::commit_topics() {
  if (topic_ranges_.empty()) return;
  for (const TopicRange& range : topic_ranges_) {
    if (noting()) note_topics(range);
    spread(range);
    settle_publishes(range);
  }
  topic_ranges_.clear();
}

void Router::Impl::spread(const TopicRange& range) {
  const auto& members = routes_.audience(range.audience).members;
  const bool many = members.size() >= kFewFrames;
  const bool large = frame_.size() > (many ? kWholeForManyBytes : kWholeFrameBytes);
  const bool whole = large && range.begin == 0 && range.end == frame_.size();
  const Copies copies{Source::kFrame, range.begin, range.end - range.begin,
                      range.count,    whole,       members.size() > 1};
  const SessionId sender = pairs_[range.pair].sender;
  for (const Subscriber& each : members) {
    if (each.excludes_own && each.session == sender) continue;
    deliver(session_at(each.session), copies, each.policy);
  }
}

/// Puts copies into a subscriber's topic queue, and sees to it that this keeps its limit.
void Router::Impl::deliver(Session& to, const Copies& copies, SlowPolicy policy) {
  TopicQueue& queue = to.topics;
  if (const Outcome wrong = check_copies(to, copies.length); wrong != Outcome::kNone) {
    lose_copies(copies.count, wrong);
    if (wrong == Outcome::kLost) return;
    queue.gap += copies.count;
    queue.dropped += copies.count;
    return touch(to);
  }
  held_bytes += copies.length;
  queue.bytes += copies.length;
  queue.entered += copies.length;
  if (copies.whole && (copies.count == 1 || !to.stream.apart)) {
    Action& action = act(Op::kWhole);
    action.session = to.id;
    action.topics = true;
    queue.bundles.push_back({copies.count, copies.length, now_.steady_ns});
    queue.open = false;
  } else if (to.stream.apart && copies.count > 1) {
    enqueue_apart(to, copies);
  } else {
    enqueue(to, copies);
  }
  // What is full goes at once, so that the subscriber works while this turn goes on.
  if (!queue.open || queue.bundles.back().bytes >= kBundleBytes) flush_stream(to);
  if (is_too_full(queue)) {
    flush_stream(to);
    if (is_too_full(queue)) enforce(to, policy);
  }
  touch(to);
}

/// What keeps `bytes` of copies from a subscriber.
Outcome Router::Impl::check_copies(const Session& to, std::uint64_t bytes) const {
  if (to.topics.ends_session) return Outcome::kLost;
  return over_memory() || held_bytes + bytes > limits.memory ? Outcome::kDropped : Outcome::kNone;
}

/// How much may wait in it: its limit, and beside it the retained values that do.
std::uint64_t Router::Impl::topic_room(const TopicQueue& queue) const {
  const std::uint64_t waiting =
      queue.retained_end > queue.left ? queue.retained_end - queue.left : 0;
  return limits.topic_queue + std::min(waiting, retained_bytes_);
}

/// Beyond its room, which admits one bundle of any size.
bool Router::Impl::is_too_full(const TopicQueue& queue) const {
  return queue.bytes > topic_room(queue) && queue.bundles.size() > 1;
}

void Router::Impl::enqueue(Session& to, const Copies& copies) {
  TopicQueue& queue = to.topics;
  Action& action = act(Op::kAppend);
  action.session = to.id;
  action.topics = true;
  action.source = copies.source;
  action.offset = copies.offset;
  action.length = copies.length;
  action.shared = copies.shared;
  action.fresh = needs_bundle(to, copies.length, copies.shared);
  if (action.fresh) queue.bundles.push_back({0, 0, now_.steady_ns});
  queue.open = true;
  queue.bundles.back().count += copies.count;
  queue.bundles.back().bytes += copies.length;
}

/// Whether copies go into a bundle of their own.
bool Router::Impl::needs_bundle(const Session& to, std::uint32_t bytes, bool shared) const {
  const TopicQueue& queue = to.topics;
  const std::uint32_t most = shared ? most_company() : kBundleBytes;
  return !queue.open || to.stream.apart ||
         queue.bundles[queue.bundles.size() - 1].bytes + bytes > most;
}

/// For a peer that gets one envelope a frame.
void Router::Impl::enqueue_apart(Session& to, const Copies& copies) {
  FrameReader reader(frame_.subspan(copies.offset, copies.length));
  EnvelopeView view;
  std::uint32_t offset = copies.offset;
  while (reader.next(view)) {
    const auto size = static_cast<std::uint32_t>(view.bytes.size());
    enqueue(to, {copies.source, offset, size, 1, false, copies.shared});
    offset += size;
  }
}

// ---- Slow subscribers
// ----------------------------------------------------------------------------

/// The topic queue is beyond its limit, and the window is shut.
void Router::Impl::enforce(Session& to, SlowPolicy policy) {
  TopicQueue& queue = to.topics;
  switch (policy) {
    case SlowPolicy::kBlock:
      return;  // settle_publishes() makes its publishers wait.
    case SlowPolicy::kDisconnect:
      queue.ends_session = true;
      slow_.emplace_back(to.id, to.epoch);
      return touch(to);
    case SlowPolicy::kDropOldest:
      break;
  }
  std::uint32_t dropped = 0;
  std::uint32_t copies = 0;
  for (; is_too_full(queue); ++dropped) {
    const Bundle oldest = queue.bundles.front();
    queue.bundles.pop_front();
    copies += oldest.count;
    // What is dropped of retained values makes room for no less than it had.
    if (queue.retained_end > queue.left) queue.retained_end += oldest.bytes;
    leave(queue, oldest.bytes);
    held_bytes -= oldest.bytes;
  }
  if (dropped == 0) return;
  Action& action = act(Op::kDropOldest);
  action.session = to.id;
  action.count = dropped;
  queue.gap += copies;
  queue.dropped += copies;
  touch(to);
  lose_copies(copies, Outcome::kDropped);
  settle_waiting(to);
}

void Router::Impl::leave(TopicQueue& queue, std::uint32_t bytes) {
  queue.bytes -= bytes;
  queue.left += bytes;
}

/// Copies that no subscriber gets.
void Router::Impl::lose_copies(std::uint32_t count, Outcome why) {
  accounting.held -= count;
  accounting.fail(why, count);
}

/// Returns the publisher's credit, unless a subscriber whose policy is `block` has too much.
void Router::Impl::settle_publishes(const TopicRange& range) {
  const Audience& audience = routes_.audience(range.audience);
  const bool is_used = limits.is_much(held_bytes);
  const auto holds_up = [&](const Subscriber& each) {
    if (each.policy != SlowPolicy::kBlock) return false;
    Session& subscriber = session_at(each.session);
    TopicQueue& queue = subscriber.topics;
    queue.share = limits.blocking_room(audience.members.size());
    return queue.bytes > blocking_room(subscriber, topic_room(queue), is_used);
  };
  const auto holders = static_cast<std::uint32_t>(
      audience.some_block
          ? std::count_if(audience.members.begin(), audience.members.end(), holds_up)
          : 0);
  if (audience.some_block) {
    std::uint64_t& most = session_at(pairs_[range.pair].sender).blocking_audience;
    most = std::max<std::uint64_t>(most, audience.members.size());
  }
  const auto known = unsettled_.find(range.pair);
  if (holders == 0 && known == unsettled_.end()) {
    pairs_[range.pair].last_taken_id = range.last_id;
    return give_back(range.pair, range.count, range.cost);
  }
  const std::uint64_t number = unsettled_[range.pair].add(range.last_id, holders);
  if (holders == 0) return give_back(range.pair, range.count, range.cost);
  for (const Subscriber& each : audience.members) {
    if (!holds_up(each)) continue;
    TopicQueue& queue = session_at(each.session).topics;
    queue.waiting.push_back({queue.entered, range.pair, range.count, range.cost, number});
  }
}

/// Settles the publishes that waited for this subscriber, as far as its queue has room for them.
void Router::Impl::settle_waiting(Session& subscriber) {
  TopicQueue& queue = subscriber.topics;
  const bool is_used = limits.is_much(held_bytes);
  const std::uint64_t end = queue.left + blocking_room(subscriber, topic_room(queue), is_used);
  while (!queue.waiting.empty() && queue.waiting.front().position <= end) {
    const WaitingPublishes waiting = queue.waiting.front();
    queue.waiting.pop_front();
    if (settle_entry(waiting.pair, waiting.number)) {
      give_back(waiting.pair, waiting.count, waiting.cost);
    }
  }
}

/// Settles `count` envelopes of the pair's, whose order is seen to elsewhere.
void Router::Impl::give_back(PairIndex index, std::uint32_t count, std::uint64_t cost) {
  Pair& pair = pairs_[index];
  pair.held_count -= count;
  pair.held_cost -= cost;
  if (pair.sender == kNone) {
    orphan_cost_ -= cost;
    if (pair.held_count == 0) free_pair(index);
    return;
  }
  Session& sender = session_at(pair.sender);
  settled(sender, cost, count);
  mark_dirty(index);
}

// ---- Into the stream
// -----------------------------------------------------------------------------

/// Whether what the session subscribes to waits for company: a little, after a turn in which many
/// subscribers got frames. A full bundle does not.
bool Router::Impl::topics_rest(const Session& session) const {
  const TopicQueue& queue = session.topics;
  return now_.steady_ns < topics_rest_until_ && queue.gap == 0 && queue.bytes < most_company();
}

/// What many subscribers get in one frame at most: little of what may wait for one of them, since
/// frames are what is dropped.
std::uint32_t Router::Impl::most_company() const {
  const std::uint64_t part = limits.topic_queue / 32;
  return static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(part, kBundleBytes, kMostCompanyBytes));
}

/// A frame costs its subscriber, libzmq and the broker far more than the envelopes in it. So the
/// more of them a turn sends, the longer until the next small ones: as long as they take, about;
/// and twice as long as the last time if much came meanwhile.
void Router::Impl::rest_topics() {
  const std::int64_t frames = std::exchange(topic_frames_, 0);
  const std::uint64_t envelopes = std::exchange(topic_envelopes_, 0);
  if (frames < kFewFrames) return;
  const bool good = envelopes >= static_cast<std::uint64_t>(frames) * kGoodCompany;
  const std::int64_t least = std::min(frames * kFrameRest, kMostRest);
  topics_rest_ = good ? std::clamp(topics_rest_ * 2, least, kLongestRest) : least;
  topics_rest_until_ = now_.steady_ns + topics_rest_;
}

/// The oldest bundle of the topic queue is handed over. REQUIRES: nothing else waits.
void Router::Impl::hand_over_topics(Session& session) {
  TopicQueue& queue = session.topics;
  Stream& stream = session.stream;
  const Bundle bundle = queue.bundles.front();
  queue.bundles.pop_front();
  if (queue.bundles.empty()) queue.open = false;
  leave(queue, bundle.bytes);
  stream.bundles.push_back(bundle);
  stream.bytes += bundle.bytes;
  stream.entered += bundle.count;
  Run* const last = stream.runs.empty() ? nullptr : &stream.runs.back();
  if (last != nullptr && last->pair == kTopicCopy && UINT32_MAX - last->count >= bundle.count &&
      came_together(stream, bundle.received_ns)) {
    last->count += bundle.count;
  } else {
    stream.runs.push_back({0, kTopicCopy, bundle.count, 0, 0,
                           static_cast<std::uint8_t>(Kind::kPublish), bundle.received_ns});
  }
  act(Op::kEnqueue).session = session.id;
  ++topic_frames_;
  topic_envelopes_ += bundle.count;
  hand_over(session);
  settle_waiting(session);
}

/// How many publishes were dropped before the next one the subscriber gets.
void Router::Impl::tell_gap(Session& session) {
  const std::size_t begin = out_->arena.size();
  const ByteBuffer body = encode(Gap{std::exchange(session.topics.gap, 0)});
  append_envelope(out_->arena, {.kind = Kind::kGap, .to = name_of(session), .body = body});
  const auto size = static_cast<std::uint32_t>(out_->arena.size() - begin);
  add_run(session.stream, kUncounted, 0, size, static_cast<std::uint8_t>(Kind::kGap));
  append(session, Source::kArena, static_cast<std::uint32_t>(begin), size, 1);
  hand_over(session);
}

/// The session is over: what waits for it is lost, and holds nobody up.
void Router::Impl::lose_topics(Session& session, Outcome why) {
  TopicQueue& queue = session.topics;
  for (; !queue.bundles.empty(); queue.bundles.pop_front()) {
    lose_copies(queue.bundles.front().count, why);
  }
  held_bytes -= queue.bytes;
  queue.left = queue.entered;
  queue.bytes = 0;
  queue.open = false;
  settle_waiting(session);
}

void Router::Impl::end_slow_subscribers() {
  for (std::size_t i = 0; i < slow_.size(); ++i) {
    Session* const session = sessions_[slow_[i].first].get();
    if (session == nullptr || session->epoch != slow_[i].second) continue;
    end(*session, Outcome::kUnresponsive,
        fmt::format("it takes too slowly: more than limits.topic_queue ({} bytes) of what it "
                    "subscribes to waits, and its policy is disconnect",
                    limits.topic_queue),
        true);
  }
  slow_.clear();
}

// ---- Retained values
// -----------------------------------------------------------------------------

/// The publish becomes its topic's value, or clears it.
void Router::Impl::keep_retained(const EnvelopeView& view) {
  const auto known = retained_.find(view.to);
  if (known != retained_.end()) retained_bytes_ -= known->second.size();
  if (view.body.empty()) {
    if (known != retained_.end()) retained_.erase(known);
    return;
  }
  ByteBuffer& value = known != retained_.end() ? known->second : retained_[std::string(view.to)];
  value.clear();
  append_marked(value, view, 0);
  value.shrink_to_fit();
  retained_bytes_ += value.size();
}

/// The values of all topics that the pattern matches: how many. Those topics have its beginning up
/// to the first `*`.
std::uint32_t Router::Impl::send_retained(Session& session, std::string_view pattern,
                                          SlowPolicy policy) {
  const std::string_view prefix = pattern.substr(0, pattern.find('*'));
  TopicQueue& queue = session.topics;
  std::uint32_t count = 0;
  for (auto at = retained_.lower_bound(prefix);
       at != retained_.end() && at->first.starts_with(prefix); ++at) {
    if (++retained_steps_ > kMostRetainedSteps) {
      violation(session, "its subscriptions in one frame match too many retained values");
      break;
    }
    if (!matches_topic_pattern(pattern, at->first)) continue;
    ++accounting.copies;
    ++accounting.held;
    ++count;
    if (over_memory() || held_bytes + at->second.size() > limits.memory) {
      lose_copies(1, Outcome::kDropped);
      ++queue.gap;
      ++queue.dropped;
      touch(session);
      continue;
    }
    const auto begin = static_cast<std::uint32_t>(out_->arena.size());
    out_->arena.insert(out_->arena.end(), at->second.begin(), at->second.end());
    const auto size = static_cast<std::uint32_t>(at->second.size());
    queue.retained_end = std::max(queue.retained_end, queue.left) + size;
    deliver(session, {Source::kArena, begin, size, 1}, policy);
  }
  return count;
}

}  // namespace zpost::core
