// Requests to the broker itself. SPEC.md, section 11.
#include <fmt/format.h>

#include <msgpack.hpp>

#include "broker/core/question_map.h"
#include "broker/core/router_impl.h"
#include "broker/core/tap_filter.h"

namespace zpost::core {

namespace {

/// What an admin request asks for. Unknown keys are skipped.
struct Question {
  std::string_view op;
  std::string_view name;
  std::uint64_t start = 0;
};

Result<Question> read_question(Bytes body) {
  Question question;
  const auto read = read_question_map(
      body, [&](MsgpackReader& reader, std::string_view key) -> std::optional<bool> {
        if (key == "op") return reader.read_str(question.op);
        if (key == "name") return reader.read_str(question.name);
        if (key == "start") return reader.read_uint(question.start);
        return std::nullopt;
      });
  if (!read) return read.error();
  return question;
}

AdminOp op_of(const Result<Question>& question) {
  if (!question) return AdminOp::kOther;
  constexpr std::pair<std::string_view, AdminOp> kOps[] = {
      {"who", AdminOp::kWho},     {"stats", AdminOp::kStats},   {"tap", AdminOp::kTap},
      {"untap", AdminOp::kUntap}, {"recall", AdminOp::kRecall}, {"route", AdminOp::kRoute}};
  for (const auto& [name, op] : kOps) {
    if (question->op == name) return op;
  }
  return AdminOp::kOther;
}

/// Lets msgpack::packer write into a ByteBuffer.
class Sink {
 public:
  void write(const char* data, std::size_t size) {
    const auto* bytes = reinterpret_cast<const std::byte*>(data);
    buffer.insert(buffer.end(), bytes, bytes + size);
  }

  ByteBuffer buffer;
};

using Packer = msgpack::packer<Sink>;

const TapFilter& filter_of(const TapFilter& filter) {
  return filter;
}

const TapFilter& filter_of(const RecallWish& wish) {
  return wish.filter;
}

}  // namespace

void Router::Impl::admin(Session& session, PairIndex index, const EnvelopeView& view) {
  const std::uint64_t cost = cost_of(view.bytes.size());
  if (view.kind() != Kind::kRequest) {
    return fail(session, {index, view.id, view.kind_number, cost, Outcome::kUnsupported});
  }
  // Who asks and does not take the answers.
  const bool full = session.stream.bytes >= limits.window || own_is_full(limits.max_envelope / 2);
  if (full) {
    return fail(session, {index, view.id, view.kind_number, cost, Outcome::kFull});
  }
  // The broker takes it here and now.
  ++accounting.delivered;
  Pair& pair = pairs_[index];
  pair.last_id = pair.last_taken_id = view.id;
  settled(session, cost, 1);
  mark_dirty(index);

  const auto question = read_question(view.body);
  note_asked(session, view, op_of(question));
  if (!question) return answer(session, view, as_bytes(question.error().text), true);
  if (question->op == "who") return answer_who(session, view, question->start, question->name);
  if (question->op == "stats") return answer_stats(session, view);
  if (question->op == "tap") return open_tap(session, view, Op::kTap, parse_tap_filter(view.body));
  if (question->op == "recall")
    return open_tap(session, view, Op::kRecall, parse_recall(view.body));
  if (question->op == "untap") {
    answer_ok(session, view);
    return close_tap(session);
  }
  if (question->op == "route") return answer_route(session, view);
  const std::string text = fmt::format(
      "op \"{}\" is none of who, stats, route, tap, untap, recall (SPEC.md, section 11)",
      question->op);
  answer(session, view, as_bytes(text), true);
}

/// What is wrong with its text, for who asks; empty: nothing.
std::string Router::Impl::wrong_with(const TapFilter& filter, Op op) const {
  if (filter.filter.empty()) return "";
  if (!filter_check) return "this broker knows no filters";
  return filter_check(filter.filter, op == Op::kTap ? TapUse::kTap : TapUse::kRecall);
}

/// The tap reads the request again: it is its own.
template <typename Wish>
void Router::Impl::open_tap(Session& session, const EnvelopeView& request, Op op,
                            const Result<Wish>& wish) {
  if (!wish) return answer(session, request, as_bytes(wish.error().text), true);
  if (const std::string wrong = wrong_with(filter_of(*wish), op); !wrong.empty()) {
    return answer(session, request, as_bytes("filter: " + wrong), true);
  }
  if (!session.inspects && inspectors_ >= limits.inspectors) {
    const std::string text = fmt::format(
        "full: limits.inspectors ({}) peers watch already; one of them must leave or say untap",
        limits.inspectors);
    return answer(session, request, as_bytes(text), true);
  }
  if (!session.inspects) ++inspectors_;
  session.inspects = true;
  answer_ok(session, request);
  Action& action = act(op);
  action.session = session.id;
  action.offset = static_cast<std::uint32_t>(out_->arena.size());
  action.length = static_cast<std::uint32_t>(request.body.size());
  out_->arena.insert(out_->arena.end(), request.body.begin(), request.body.end());
}

void Router::Impl::close_tap(Session& session) {
  if (!session.inspects) return;
  session.inspects = false;
  --inspectors_;
  act(Op::kUntap).session = session.id;
}

void Router::Impl::answer_ok(Session& session, const EnvelopeView& request) {
  Sink sink;
  Packer(sink).pack(std::map<std::string, bool>{{"ok", true}});
  answer(session, request, sink.buffer, false);
}

void Router::Impl::answer(Session& session, const EnvelopeView& request, Bytes body,
                          bool rejected) {
  Meta meta;
  meta.in_reply_to = request.id;
  meta.rejected = rejected;
  append_from_broker(session,
                     {.kind = Kind::kReply,
                      .to = name_of(session),
                      .id = ++next_broker_id_,
                      .meta = meta,
                      .body = body},
                     kBrokerPayload);
}

/// Envelopes that are not handed over yet.
std::uint64_t Router::Impl::waiting_for(const Session& peer) {
  std::uint64_t waiting = 0;
  for (std::size_t i = peer.stream.handed; i < peer.stream.bundles.size(); ++i) {
    waiting += peer.stream.bundles[i].count;
  }
  for (std::size_t i = 0; i < peer.topics.bundles.size(); ++i) {
    waiting += peer.topics.bundles[i].count;
  }
  return waiting;
}

/// When the oldest came that it has not taken, ns since 1970; 0: there is nothing.
std::uint64_t Router::Impl::oldest_of(const Session& peer) const {
  std::int64_t oldest = kNever;
  if (!peer.stream.runs.empty()) oldest = peer.stream.runs.front().received_ns;
  if (!peer.topics.bundles.empty()) {
    oldest = std::min(oldest, peer.topics.bundles.front().received_ns);
  }
  if (oldest == kNever) return 0;
  return now_.wall_ns - static_cast<std::uint64_t>(now_.steady_ns - oldest);
}

std::string_view Router::Impl::state_name(Session::State state) {
  switch (state) {
    case Session::State::kActive:
      return "active";
    case Session::State::kAway:
      return "away";
    case Session::State::kExpected:
      return "expected";
  }
  return "";
}

/// One page of who is here: peers from slot `start` on while they fit an envelope.
void Router::Impl::answer_who(Session& session, const EnvelopeView& request, std::uint64_t start,
                              std::string_view name) {
  const std::size_t room = limits.max_envelope / 2;
  Sink rows;
  std::uint32_t count = 0;
  std::uint64_t next = 0;
  std::uint64_t id = start;
  std::uint64_t end = sessions_.size();
  if (!name.empty()) {
    const NameId known = directory.find(name);
    id = known == kNone ? kNone : directory.session(known);
    end = id == kNone ? id : id + 1;
  }
  for (; id < end; ++id) {
    const Session* peer = sessions_[id].get();
    if (peer == nullptr) continue;
    if (count > 0 && rows.buffer.size() + 2 * kMaxMetadataBytes > room) {
      next = id;
      break;
    }
    ++count;
    Packer pack(rows);
    pack.pack_map(20);
    pack.pack("name").pack(std::string(name_of(*peer)));
    pack.pack("instance").pack(peer->hello.instance);
    pack.pack("software").pack(peer->hello.software);
    pack.pack("state").pack(std::string(state_name(peer->state)));
    pack.pack("since").pack(peer->since_wall_ns);
    pack.pack("queued").pack(waiting_for(*peer));
    pack.pack("queued_bytes")
        .pack(peer->stream.bytes - peer->stream.handed_bytes + peer->topics.bytes);
    pack.pack("subscriptions").pack(peer->subscriptions.size());
    pack.pack("offers");
    pack.pack_array(static_cast<std::uint32_t>(peer->offers.size()));
    for (const ServiceId service : peer->offers) pack.pack(services_[service].name);
    pack.pack("last_seen")
        .pack(now_.wall_ns - static_cast<std::uint64_t>(now_.steady_ns - peer->last_heard));
    pack.pack("oldest").pack(oldest_of(*peer));
    pack.pack("address").pack(address_of(*peer));
    pack.pack("sent_rate").pack(peer->rates.sent);
    pack.pack("received_rate").pack(peer->rates.taken);
    pack.pack("unacked").pack(peer->stream.handed_count - peer->stream.acked);
    pack.pack("sent").pack(peer->sent);
    pack.pack("received").pack(peer->taken);
    pack.pack("acks").pack(peer->hello.acks);
    pack.pack("credit").pack(peer->credit_size);
    pack.pack("metadata").pack(peer->hello.metadata);
  }
  Sink sink;
  Packer pack(sink);
  pack.pack_map(next == 0 ? 1 : 2);
  pack.pack("peers");
  pack.pack_array(count);
  sink.write(reinterpret_cast<const char*>(rows.buffer.data()), rows.buffer.size());
  if (next != 0) pack.pack("next").pack(next);
  answer(session, request, sink.buffer, false);
}

void Router::Impl::answer_stats(Session& session, const EnvelopeView& request) {
  std::map<std::string, std::uint64_t> failed_by;
  for (std::size_t code = 0; code < accounting.failed_by.size(); ++code) {
    if (accounting.failed_by[code] == 0) continue;
    failed_by.emplace(outcome_name(static_cast<Outcome>(code)), accounting.failed_by[code]);
  }
  Sink sink;
  Packer pack(sink);
  pack.pack_map(15);
  pack.pack("started").pack(started_ns_);
  pack.pack("inspectors").pack(inspectors_);
  pack.pack("recorder");
  pack.pack_map(3);
  pack.pack("bytes").pack(recorder.bytes);
  pack.pack("limit").pack(recorder.limit);
  pack.pack("oldest").pack(recorder.oldest_ns);
  pack.pack("limits");
  pack.pack_map(5);
  pack.pack("peers").pack(limits.peers);
  pack.pack("memory").pack(limits.memory);
  pack.pack("inspectors").pack(limits.inspectors);
  pack.pack("all_subscriptions").pack(limits.all_subscriptions);
  pack.pack("retained").pack(limits.retained);
  pack.pack("subscriptions").pack(routes_.size());
  pack.pack("retained").pack(retained_.size());
  pack.pack("open_requests").pack(exchanges_.size());
  pack.pack("waiting_calls").pack(waiting_calls);
  pack.pack("run").pack(identity.run);
  pack.pack("time").pack(now_.wall_ns);
  pack.pack("peers").pack(session_count);
  pack.pack("memory").pack(process_memory);
  pack.pack("held_bytes").pack(held_bytes);
  pack.pack("granted").pack(reserved_);
  pack.pack("counters");
  pack.pack_map(9);
  pack.pack("exchanges_failed").pack(accounting.exchanges_failed);
  pack.pack("late_replies").pack(accounting.late_replies);
  pack.pack("received").pack(accounting.received);
  pack.pack("copies").pack(accounting.copies);
  pack.pack("delivered").pack(accounting.delivered);
  pack.pack("unconfirmed").pack(accounting.unconfirmed);
  pack.pack("held").pack(accounting.held);
  pack.pack("failed").pack(accounting.failed);
  pack.pack("failed_by").pack(failed_by);
  answer(session, request, sink.buffer, false);
}

}  // namespace zpost::core
