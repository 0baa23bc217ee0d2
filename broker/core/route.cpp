// Where an envelope would go now, and what would hold or refuse it: asked of the same functions
// that decide about real ones, without sending one. SPEC.md, section 11.
#include <algorithm>
#include <array>

#include "broker/core/router_impl.h"
#include "zpost/protocol/names.h"

namespace zpost::core {

namespace {

/// Recipients in one answer; patterns shown of each, and looked at for all: a peer may have
/// limits.subscriptions of them, and nothing is routed meanwhile.
constexpr std::uint64_t kMostRows = 100;
constexpr std::size_t kMostPatterns = 8;
constexpr std::size_t kMostPatternsRead = 2048;

std::string_view policy_name(SlowPolicy policy) {
  switch (policy) {
    case SlowPolicy::kBlock:
      return "block";
    case SlowPolicy::kDisconnect:
      return "disconnect";
    case SlowPolicy::kDropOldest:
      break;
  }
  return "drop-oldest";
}

std::uint64_t room(std::uint64_t limit, std::uint64_t used) {
  return limit > used ? limit - used : 0;
}

/// Rows of one answer, in an array.
class Rows {
 public:
  void add(const MapWriter& row) {
    const ByteBuffer bytes = row.done();
    rows_.insert(rows_.end(), bytes.begin(), bytes.end());
    ++count_;
  }

  [[nodiscard]] bool is_full() const { return count_ >= kMostRows; }

  [[nodiscard]] ByteBuffer done() const {
    ByteBuffer array;
    MsgpackWriter(array).array(count_).raw(rows_);
    return array;
  }

 private:
  ByteBuffer rows_;
  std::uint64_t count_ = 0;
};

}  // namespace

void Router::Impl::answer_route(Session& session, const EnvelopeView& request) {
  const auto question = parse_route_question(request.body);
  if (!question) return answer(session, request, as_bytes(question.error().text), true);
  commit_ranges();  // What this frame sent before is on its way.

  const NameId known = question->from.empty() ? kNone : directory.find(question->from);
  const SessionId id = known == kNone ? kNone : directory.session(known);
  const Session nobody = id == kNone ? stranger() : Session();
  const Session& sender = id == kNone ? nobody : *sessions_[id];

  // As small as it can be: its size is a number here.
  constexpr std::array<std::byte, 1> kSomeBody{};
  EnvelopeFields fields{.kind = question->kind, .to = question->to, .from = question->from};
  if (question->bytes > 0) fields.body = kSomeBody;
  fields.meta.retain = question->retain;
  fields.id = sender.highest_id > 0 ? sender.highest_id + 1 : std::max(now_.wall_ns, id_floor);
  ByteBuffer small;
  append_envelope(small, fields);
  FrameReader reader(small);
  EnvelopeView view;
  (void)reader.next(view);
  const std::size_t size = small.size() - fields.body.size() - bin_tag_bytes(fields.body.size()) +
                           question->bytes + bin_tag_bytes(question->bytes);

  const std::size_t size_limited = std::min<std::size_t>(size, UINT32_MAX);

  meta_ = fields.meta;
  detail_ = Detail::kQueue;
  knows_topic_ = false;
  const Outcome outcome = foresee(sender, view, size);
  MapWriter out;
  out.number("kind", view.kind_number).text("from", question->from).text("to", question->to);
  out.text("sender", id == kNone ? "absent" : state_name(sender.state));
  out.number("bytes", size);
  out.number("credit", room(sender.credit, sender.received_cost));
  out.number("pair", sender.pair_limit);
  if (outcome != Outcome::kNone) {
    out.number("outcome", static_cast<std::uint64_t>(outcome));
    out.text("text", outcome_text(sender, {.code = outcome, .detail = detail_}));
  }
  std::string_view fate = "forwarded";  // To the broker itself.
  if (view.kind() == Kind::kPublish && is_topic(view.to)) {
    fate = foretell_topic(sender, *question, out);
  } else if (view.kind() == Kind::kCall && is_name(view.to)) {
    fate = foretell_service(*question, out);
  } else if (!view.to.empty()) {
    fate = foretell_direct(view, static_cast<std::uint32_t>(size_limited), out);
  }
  out.text("fate", outcome != Outcome::kNone ? "refused" : fate);
  knows_topic_ = false;  // It was another envelope's.
  answer(session, request, out.done(), false);
}

/// Somebody who was just welcomed.
Session Router::Impl::stranger() const {
  Session session;
  session.credit = session.credit_size = first_credit(session.hello);
  session.pair_limit = session.pair_bound = session.credit_size / limits.pair_share;
  return session;
}

/// What would become of it, as payload() and check() have it: kNone if it were accepted, of the
/// size given whatever that of `view`. REQUIRES: meta_ is its meta, detail_ and knows_topic_ are
/// reset.
Outcome Router::Impl::foresee(const Session& sender, const EnvelopeView& view, std::size_t size) {
  Pair pair;
  if (const Outcome wrong = foresee_pair(sender, view, pair); wrong != Outcome::kNone) return wrong;
  const std::uint64_t cost = cost_of(size);
  const bool alone = sender.outstanding() == 0;
  if (const Outcome wrong = check_sender(sender, sender.received_cost + cost, alone);
      wrong != Outcome::kNone) {
    return wrong;
  }
  if (const Outcome wrong = check_any(size); wrong != Outcome::kNone) return wrong;
  const bool is_direct = view.kind() != Kind::kPublish && view.kind() != Kind::kCall;
  if (is_direct && view.to.empty()) return Outcome::kNone;
  if (is_over_pair_limit(sender, pair, cost)) return Outcome::kOverCredit;
  const NameId known = is_direct ? directory.find(view.to) : kNone;
  return check_way(sender, view, size, known == kNone ? kNone : directory.session(known));
}

/// Sets `pair` to what the sender has outstanding for it, if it is a recipient it may have.
Outcome Router::Impl::foresee_pair(const Session& sender, const EnvelopeView& view, Pair& pair) {
  std::string account(view.to);
  bool named = account.empty() || is_name(account);
  if (view.kind() == Kind::kPublish) {
    named = is_topic(account);
    account = kAllTopics;
  } else if (view.kind() == Kind::kCall) {
    named = is_name(account);
    account.insert(account.begin(), kServiceMark);
  }
  if (!named) return Outcome::kBadName;
  const NameId known = directory.find(account);
  const auto found = known == kNone ? sender.pairs.end() : sender.pairs.find(known);
  if (found != sender.pairs.end()) {
    pair = pairs_[found->second];
    return Outcome::kNone;
  }
  if (may_have_another_pair(sender)) return Outcome::kNone;
  const auto goes = [&](const auto& each) { return is_forgettable(sender, pairs_[each.second]); };
  const bool sweeps = may_sweep_pairs(sender) && std::ranges::any_of(sender.pairs, goes);
  return sweeps ? Outcome::kNone : Outcome::kFull;
}

/// Why an envelope would wait for a recipient; empty: it would be handed to its connection at once.
std::string_view Router::Impl::waits_why(const Session& to, std::uint32_t size) const {
  if (to.state == Session::State::kExpected) return "not-there-yet";
  if (to.connection == kNone || to.state != Session::State::kActive) return "away";
  if (!takes_frames(to)) return "connection-full";
  const bool admits = to.stream.waiting() > 0 ? window_open(to) : window_admits(to, {1, size});
  if (admits) return "";
  return to.stream.handed_count >= to.stream.demand ? "no-demand" : "window-full";
}

std::string_view Router::Impl::foretell_direct(const EnvelopeView& view, std::uint32_t size,
                                               MapWriter& out) const {
  const NameId known = directory.find(view.to);
  const SessionId id = known == kNone ? kNone : directory.session(known);
  Rows rows;
  std::string_view fate = "held";  // Whoever comes gets it.
  if (id != kNone) {
    MapWriter row;
    describe_recipient(*sessions_[id], size, row);
    rows.add(row);
    if (waits_why(*sessions_[id], size).empty()) fate = "forwarded";
  }
  out.value("recipients", rows.done());
  return fate;
}

/// What `who` says as well, and how much it may still be sent.
void Router::Impl::describe_recipient(const Session& to, std::uint32_t size, MapWriter& out) const {
  const Stream& stream = to.stream;
  out.text("name", name_of(to)).text("state", state_name(to.state));
  out.number("queued", waiting_for(to));
  out.number("queued_bytes", stream.bytes - stream.handed_bytes + to.topics.bytes);
  out.number("unacked", stream.handed_count - stream.acked);
  out.flag("acks", to.hello.acks);
  out.number("window_room", room(to.hello.window_bytes, stream.handed_bytes));
  out.number("frames_room", room(to.hello.window_frames, stream.handed));
  out.number("queue_room", room(limits.queue, stream.bytes));
  const std::string_view why = waits_why(to, size);
  out.text("way", why.empty() ? "forwarded" : "held");
  if (!why.empty()) out.text("why", why);
}

std::string_view Router::Impl::foretell_topic(const Session& sender, const RouteQuestion& question,
                                              MapWriter& out) const {
  const auto& members = routes_.audience(topic_.audience).members;
  out.number("queues", queues_of(sender, topic_.audience));
  const auto value = retained_.find(question.to);
  out.number("retained", value == retained_.end() ? 0 : value->second.size());
  Rows rows;
  std::size_t read = 0;
  std::uint64_t at = question.start;
  for (; at < members.size() && !rows.is_full() && read < kMostPatternsRead; ++at) {
    const Subscriber& each = members[at];
    read += sessions_[each.session]->subscriptions.size();
    MapWriter row;
    describe_subscriber(each, sender, question, row);
    rows.add(row);
  }
  out.value("recipients", rows.done());
  if (at < members.size()) out.number("next", at);
  return "published";
}

void Router::Impl::describe_subscriber(const Subscriber& each, const Session& sender,
                                       const RouteQuestion& question, MapWriter& out) const {
  const Session& to = *sessions_[each.session];
  const TopicQueue& queue = to.topics;
  const auto size = static_cast<std::uint32_t>(question.bytes);
  describe_recipient(to, size, out);
  ByteBuffer patterns;
  std::size_t shown = 0;
  std::size_t matching = 0;
  for (const std::string& pattern : to.subscriptions) {
    if (!matches_topic_pattern(pattern, question.to)) continue;
    if (++matching > kMostPatterns) continue;
    MsgpackWriter(patterns).str(pattern);
    ++shown;
  }
  ByteBuffer list;
  MsgpackWriter(list).array(shown).raw(patterns);
  out.value("patterns", list).number("matching", matching);
  out.text("policy", policy_name(each.policy)).flag("excludes_own", each.excludes_own);
  out.number("topic_bytes", queue.bytes).number("topic_room", room(topic_room(queue), queue.bytes));
  if (each.excludes_own && each.session == sender.id) out.flag("own", true);
  const Outcome lost = check_copies(to, size);
  if (lost != Outcome::kNone) out.number("lost", static_cast<std::uint64_t>(lost));
  const bool waits =
      !waits_why(to, size).empty() || to.stream.waiting() > 0 || !queue.bundles.empty();
  const bool over = queue.bytes + size > topic_room(queue);
  const std::size_t bundles = queue.bundles.size() + (needs_bundle(to, size, true) ? 1 : 0);
  // One bundle of any size may wait; publishers are held up by bytes alone.
  const bool full = over && (bundles > 1 || each.policy == SlowPolicy::kBlock);
  out.flag("full", waits && full);
}

std::string_view Router::Impl::foretell_service(const RouteQuestion& question, MapWriter& out) {
  const ServiceId id = services_.find(question.to);
  const Service none;
  const Service& service = id == kNone ? none : services_[id];
  const Worker* const chosen = service.waiting == 0 ? least_busy(service) : nullptr;
  out.number("waiting", service.waiting).number("queue_limit", limits.service_queue);
  out.number("workers", service.workers.size());
  if (chosen != nullptr) out.text("worker", name_of(*sessions_[chosen->session]));
  Rows rows;
  std::uint64_t at = question.start;
  for (; at < service.workers.size() && !rows.is_full(); ++at) {
    const Worker& each = service.workers[at];
    MapWriter row;
    describe_recipient(*sessions_[each.session], static_cast<std::uint32_t>(question.bytes), row);
    row.number("capacity", each.capacity).number("in_hand", each.in_hand);
    rows.add(row);
  }
  out.value("recipients", rows.done());
  if (at < service.workers.size()) out.number("next", at);
  return chosen != nullptr ? "assigned" : "waiting";
}

}  // namespace zpost::core
