#include "tools/inspect/replay_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "peer/cli/shared/units.h"
#include "tools/inspect/patterns.h"
#include "zpost/protocol/names.h"

namespace zpost::inspect {
namespace {

constexpr std::uint64_t kSayable = kWantCount | kWantSubscriber;

LeftOut left_out(NotSent why, const TailLine& line) {
  return {why,     line.kind_number, line.from,
          line.to, line.first_id,    std::max<std::uint64_t>(line.count, 1)};
}

/// A service without its mark.
std::string target_of(const TapEntry& entry) {
  const bool is_service = entry.to.starts_with(kServiceMark);
  return is_service ? entry.to.substr(1) : entry.to;
}

/// The meta of an envelope, if this program can say all that it says; the broker's own marks (an
/// attempt, a kept value) and what only replies have are nothing that is sent again.
std::optional<Meta> sayable_meta(const EnvelopeView& view) {
  MsgpackReader reader(view.bytes);
  std::size_t elements = 0;
  if (!reader.read_array(elements, 6 + kMaxExtraElements) || elements != 6) return std::nullopt;
  if (!view.has_meta()) return Meta{};
  const Result<Meta> read = read_meta(view);
  if (!read) return std::nullopt;
  const Meta& meta = *read;
  const bool is_publish = view.kind() == Kind::kPublish;
  if ((meta.wanted & ~(is_publish ? kSayable : 0)) != 0) return std::nullopt;
  if (meta.retain && !is_publish) return std::nullopt;
  if (meta.idempotent && view.kind() != Kind::kCall) return std::nullopt;
  const std::size_t said = (meta.wanted != 0 ? 1U : 0U) + (meta.deadline_ns != 0 ? 1U : 0U) +
                           (meta.content_type.empty() ? 0U : 1U) + (meta.sent_ns != 0 ? 1U : 0U) +
                           (meta.trace.empty() ? 0U : 1U) + (meta.idempotent ? 1U : 0U) +
                           (meta.retain ? 1U : 0U);
  if (meta_entries(view) != said) return std::nullopt;
  return meta;
}

void put_meta(ReplayItem& item, const Meta& meta) {
  item.body.content_type = meta.content_type;
  item.trace = meta.trace;
  item.stamped = meta.sent_ns != 0;
  item.idempotent = meta.idempotent;
  item.retain = meta.retain;
  item.wants_count = (meta.wanted & kWantCount) != 0;
  item.needs_subscriber = (meta.wanted & kWantSubscriber) != 0;
  constexpr std::uint64_t kLeastDeadline = 1'000'000;
  if (meta.deadline_ns == 0) return;
  item.deadline_ns =
      std::max(kLeastDeadline, meta.deadline_ns - std::min(meta.deadline_ns, item.time_ns));
}

std::vector<std::byte> copy_of(Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}

bool is_settled_by(const ReplayItem& item, TapEvent event) {
  // A request that was taken is not at its end; what a publish became is told as it is forwarded.
  if (event == TapEvent::kDelivered) return item.kind == Kind::kSend;
  if (event == TapEvent::kForwarded) return item.kind == Kind::kPublish;
  return true;
}

}  // namespace

std::string_view not_sent_text(NotSent why) {
  switch (why) {
    case NotSent::kCut:
      return "the capture has only the beginning of the body";
    case NotSent::kRedacted:
      return "redacted";
    case NotSent::kNotShown:
      return "the capture does not have the body";
    case NotSent::kRefusedAtOnce:
      return "refused at once by the broker, which shows no body then";
    case NotSent::kOtherMeta:
      return "its meta says what a replay cannot say";
    case NotSent::kByBroker:
      return "the broker sent it for a peer that was gone";
    case NotSent::kReal:
      return "left to its sender, who is at the broker";
  }
  return "";
}

const std::string& ReplayItem::recipient() const {
  static const std::string nobody;
  if (kind == Kind::kPublish) return nobody;
  return kind == Kind::kCall ? worker : to;
}

bool ReplayItem::has_whole_answer() const {
  return !replies.empty() && !replies.back().more &&
         std::ranges::all_of(replies, [](const RecordedReply& reply) { return reply.is_whole(); });
}

void ReplayPlan::leave_out(LeftOut what) {
  not_sent[what.why] += what.count;
  if (left_out.size() < kMaxNamed) left_out.push_back(std::move(what));
}

std::uint64_t ReplayPlan::left_out_count() const {
  std::uint64_t count = 0;
  for (const auto& [why, each] : not_sent) count += each;
  return count;
}

PlanBuilder::PlanBuilder(ReplayChoice choice)
    : choice_(std::move(choice)), filter_({}, false, choice_.filter) {}

Result<void> PlanBuilder::add(const TapEntry& entry, bool redacted) {
  plan_.missed += entry.missed;
  if (plan_.begin_ns == 0) plan_.begin_ns = entry.record.time_ns;
  plan_.end_ns = std::max(plan_.end_ns, entry.record.time_ns);
  switch (entry.record.event) {
    case TapEvent::kReceived:
      return take_received(entry, redacted);
    case TapEvent::kFailed:
    case TapEvent::kDelivered:
    case TapEvent::kForwarded:
      take_end(entry);
      break;
    case TapEvent::kAnswered:
      take_answered(entry);
      break;
    case TapEvent::kSession:
      return take_session(entry);
    case TapEvent::kAssigned:
      if (ReplayItem* const call = find(entry.from, entry.record.first_id)) call->worker = entry.to;
      break;
    default:
      break;
  }
  return {};
}

Result<void> PlanBuilder::take_received(const TapEntry& entry, bool redacted) {
  note_sender(entry.from);
  (void)is_new(entry);
  const bool is_reply = entry.record.kind == static_cast<std::uint8_t>(Kind::kReply);
  lines_.clear();
  append_lines(entry, lines_);
  ShownReader shown(entry.shown);
  ShownEnvelope envelope;
  for (TailLine& line : lines_) {
    if (line.event == TapEvent::kMissed) continue;
    const bool is_shown = line.envelope && shown.next(envelope);
    const bool is_asked = !is_reply && is_in_range(line.time_ns) && is_wanted(line);
    if (is_asked && !is_shown) plan_.leave_out(left_out(NotSent::kNotShown, line));
    if (!is_shown || (!is_reply && !is_asked)) continue;
    Result<void> taken = is_reply ? take_reply(entry, envelope, redacted)
                                  : take_envelope(entry, shown.bytes(), envelope.cut, redacted);
    if (!taken) return taken;
  }
  return {};
}

/// Whether its sender was not heard of with that id before. Ids of a sender only grow.
bool PlanBuilder::is_new(const TapEntry& entry) {
  std::uint64_t& highest = highest_[entry.from];
  const bool is_higher = entry.record.last_id > highest;
  highest = std::max(highest, entry.record.last_id);
  return is_higher;
}

bool PlanBuilder::is_in_range(std::uint64_t time_ns) const {
  const std::uint64_t offset = time_ns - std::min(time_ns, plan_.begin_ns);
  return offset >= choice_.start_ns && offset < choice_.end_ns;
}

bool PlanBuilder::is_wanted(TailLine& line) {
  const auto kind = static_cast<Kind>(line.kind_number);
  if (!is_payload(kind) || kind == Kind::kReply) return false;
  if (choice_.requests_only && kind != Kind::kRequest && kind != Kind::kCall) return false;
  if (!choice_.from.empty() && !matches_name_pattern(choice_.from, line.from)) return false;
  if (!choice_.to.empty() && !matches_target(choice_.to, line.to)) return false;
  if (choice_.limit > 0 && plan_.items.size() >= choice_.limit) return false;
  return filter_.wants(line);
}

Result<void> PlanBuilder::take_envelope(const TapEntry& entry, Bytes bytes, bool cut,
                                        bool redacted) {
  ShownReader reader(bytes);
  ShownEnvelope envelope;
  if (!reader.next(envelope)) return {};
  const auto leave = [&](NotSent why) {
    plan_.leave_out({why, envelope.kind_number, entry.from, entry.to, envelope.id, 1});
    return Result<void>();
  };
  if (redacted) return leave(NotSent::kRedacted);
  FrameReader frame(bytes);
  EnvelopeView view;
  if (cut || !frame.next(view)) return leave(NotSent::kCut);
  if (view.has_meta()) {
    const Result<Meta> meta = read_meta(view);
    if (meta && meta->will) return leave(NotSent::kByBroker);
  }
  const std::optional<Meta> meta = sayable_meta(view);
  if (!meta) return leave(NotSent::kOtherMeta);
  Known& sender = known(entry.from);
  // Sent again over a new connection, it is in the capture twice.
  if (sender.items.contains(view.id)) return {};
  if (Result<void> kept = keep(view.body.size()); !kept) return kept;
  ReplayItem item{.kind = view.kind(),
                  .sender = sender.sender,
                  .to = target_of(entry),
                  .id = view.id,
                  .time_ns = entry.record.time_ns,
                  .body = {copy_of(view.body), view.body_is_text}};
  put_meta(item, *meta);
  item.after = plan_.senders[item.sender].ended.size();
  sender.items.emplace(item.id, plan_.items.size());
  plan_.items.push_back(std::move(item));
  return {};
}

Result<void> PlanBuilder::take_reply(const TapEntry& entry, const ShownEnvelope& envelope,
                                     bool redacted) {
  ReplayItem* const item = find(entry.to, envelope.in_reply_to);
  if (item == nullptr || !item->is_exchange()) return {};
  const bool is_late = item->outcome != Outcome::kNone && item->outcome != Outcome::kDelivered;
  if (is_late || (!item->replies.empty() && !item->replies.back().more)) return {};
  if (Result<void> kept = keep(envelope.body.size()); !kept) return kept;
  item->replies.push_back(
      {.body = {copy_of(envelope.body), envelope.body_is_text, std::string(envelope.content_type)},
       .rejected = envelope.rejected,
       .more = envelope.more,
       .cut = envelope.cut,
       .redacted = redacted,
       .time_ns = entry.record.time_ns});
  return {};
}

void PlanBuilder::take_end(const TapEntry& entry) {
  const TapRecord& record = entry.record;
  const auto sender = known_.find(entry.from);
  const bool failed = record.event == TapEvent::kFailed;
  bool found = false;
  if (sender != known_.end()) {
    auto& items = sender->second.items;
    for (auto at = items.lower_bound(record.first_id);
         at != items.end() && at->first <= record.last_id; ++at) {
      ReplayItem& item = plan_.items[at->second];
      if (!has_id(record, at->first)) continue;
      found = true;
      if (!is_settled_by(item, record.event)) continue;
      const bool is_told = record.event == TapEvent::kForwarded;
      // The largest number stands for more, too.
      if (is_told && record.code < UINT16_MAX) item.queues = record.code;
      end(item, is_told ? Outcome::kDelivered : static_cast<Outcome>(record.code), record.time_ns);
    }
  }
  // What was received before, and is left out for another reason, was counted then.
  if (!failed || found || !is_new(entry) || !is_in_range(record.time_ns)) return;
  lines_.clear();
  append_lines(entry, lines_);
  TailLine& line = lines_.back();
  if (is_wanted(line)) plan_.leave_out(left_out(NotSent::kRefusedAtOnce, line));
}

void PlanBuilder::take_answered(const TapEntry& entry) {
  ReplayItem* const item = find(entry.from, entry.record.first_id);
  if (item == nullptr) return;
  const bool has_reply = entry.record.code == 0;
  if (has_reply && item->kind == Kind::kCall) item->worker = entry.to;
  end(*item, has_reply ? Outcome::kDelivered : static_cast<Outcome>(entry.record.code),
      entry.record.time_ns);
}

void PlanBuilder::end(ReplayItem& item, Outcome outcome, std::uint64_t time_ns) {
  const auto place = static_cast<std::size_t>(&item - plan_.items.data());
  if (item.outcome == Outcome::kNone) {
    if (item.is_exchange()) plan_.senders[item.sender].ended.push_back(place);
    plan_.presences[plan_.sender_of(item)].ended.push_back(place);
    const std::string& recipient = item.recipient();
    if (!recipient.empty()) {
      RecordedPresence& presence = plan_.presences[recipient];
      presence.ended.push_back(place);
      item.recipient_left = outcome == Outcome::kLost && item.is_exchange() && !presence.is_here;
      if (item.recipient_left) presence.lost.push_back(place);
    }
  }
  // A requester whose patience is over cancels: it was its deadline that ended it.
  constexpr std::uint64_t kClockSlack = 50'000'000;
  const bool is_late =
      item.deadline_ns != 0 && time_ns + kClockSlack >= item.time_ns + item.deadline_ns;
  item.outcome = outcome == Outcome::kCancelled && is_late ? Outcome::kExpired : outcome;
  item.end_ns = time_ns;
}

/// Of the broker's changes to sessions those that a replay can bring about.
Result<void> PlanBuilder::take_session(const TapEntry& entry) {
  const auto change = static_cast<SessionChange>(entry.record.code);
  const bool joins = change == SessionChange::kJoined;
  if (!joins && change != SessionChange::kOver) return {};
  if (++moves_ > kMaxMoves) {
    return Error{Outcome::kTooLarge,
                 fmt::format("more than {} comings and goings of peers are too many to be replayed",
                             cli::count_text(kMaxMoves))};
  }
  RecordedPresence& presence = plan_.presences[entry.from];
  const bool is_first = presence.moves.empty();
  // It was heard of before: that it came is not in the capture.
  if (joins && is_first && !highest_.contains(entry.from)) {
    presence.at_begin = presence.is_here = false;
  }
  if (joins == presence.is_here) return {};
  presence.is_here = joins;
  presence.moves.push_back(
      {joins, entry.record.time_ns, plan_.items.size(), presence.ended.size()});
  return {};
}

/// Somebody who is gone and sends has come again, and the capture has missed it.
void PlanBuilder::note_sender(const std::string& sender) {
  const auto presence = plan_.presences.find(sender);
  if (presence == plan_.presences.end() || presence->second.is_here) return;
  presence->second.moves.pop_back();
  presence->second.is_here = true;
}

ReplayItem* PlanBuilder::find(std::string_view sender, std::uint64_t id) {
  const auto known = known_.find(sender);
  if (known == known_.end()) return nullptr;
  const auto item = known->second.items.find(id);
  return item == known->second.items.end() ? nullptr : &plan_.items[item->second];
}

PlanBuilder::Known& PlanBuilder::known(const std::string& sender) {
  const auto [at, is_new] = known_.try_emplace(sender);
  if (is_new) {
    at->second.sender = plan_.senders.size();
    plan_.senders.push_back({sender});
  }
  return at->second;
}

Result<void> PlanBuilder::keep(std::size_t bytes) {
  bytes_ += bytes;
  if (plan_.items.size() < kMaxItems && bytes_ <= kMaxBytes) return {};
  return Error{Outcome::kTooLarge,
               fmt::format("more than {} envelopes, or {} of bodies, are too many to be replayed "
                           "at once: choose by --start, --end, --limit or a filter",
                           cli::count_text(kMaxItems), cli::size_text(kMaxBytes))};
}

}  // namespace zpost::inspect
