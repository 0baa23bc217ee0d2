#include "tools/inspect/diff_side.h"

#include <fmt/format.h>

#include "peer/cli/shared/units.h"
#include "zpost/protocol/kinds.h"

namespace zpost::inspect {
namespace {

bool asks(std::uint8_t kind_number) {
  const Kind kind = static_cast<Kind>(kind_number);
  return kind == Kind::kRequest || kind == Kind::kCall;
}

/// How far the ids of a line's envelopes are apart. What is left of a run behind those that are
/// shown begins one above the last of these.
std::uint64_t step_of(const TailLine& line) {
  if (line.count <= 1) return 0;
  const std::uint64_t span = line.last_id - line.first_id;
  return span % (line.count - 1) == 0 ? span / (line.count - 1) : (span + 1) / line.count;
}

}  // namespace

ShownEnvelope DiffEnvelope::shown() const {
  return {.content_type = content_type,
          .trace = trace,
          .in_reply_to = in_reply_to,
          .rejected = rejected,
          .body_is_text = body_is_text,
          .body = body,
          .size = size,
          .cut = cut};
}

Result<void> DiffSide::add(const TapEntry& entry, bool redacted) {
  lines_.clear();
  append_lines(entry, lines_);
  for (TailLine& line : lines_) {
    const bool wanted = choice_.wants(line);
    line.redacted = redacted;
    if (auto taken = take(line, wanted); !taken) return taken;
  }
  return {};
}

/// The filter is put to the first record of an envelope; what becomes of it belongs to it.
Result<void> DiffSide::take(const TailLine& line, bool wanted) {
  switch (line.event) {
    case TapEvent::kMissed:
      missed_ += line.missed;
      return {};
    case TapEvent::kReceived:
      return wanted ? receive(line) : Result<void>();
    case TapEvent::kFailed: {
      const auto sender = places_.find(line.from);
      const bool is_known = sender != places_.end() && sender->second.contains(line.first_id);
      if (!is_known && wanted) {
        if (auto received = receive(line); !received) return received;
      }
      settle(line);
      return {};
    }
    case TapEvent::kForwarded:
    case TapEvent::kDelivered:
    case TapEvent::kAnswered:
      settle(line);
      return {};
    default:
      return {};
  }
}

/// Each envelope of a run by itself.
Result<void> DiffSide::receive(const TailLine& line) {
  const std::uint64_t step = step_of(line);
  for (std::uint64_t i = 0; i < line.count; ++i) {
    auto put_it = put(line, line.last_id - (line.count - 1 - i) * step);
    if (!put_it) return put_it;
  }
  return {};
}

Result<void> DiffSide::put(const TailLine& line, std::uint64_t id) {
  auto& ids = places_[line.from];
  if (ids.contains(id)) return {};  // Received again, over a new connection.
  DiffEnvelope envelope{.id = id};
  if (line.event == TapEvent::kReceived) envelope.received_ns = line.time_ns;
  if (line.count == 1) envelope.size = static_cast<std::uint32_t>(line.bytes);
  if (line.envelope) {
    const ShownEnvelope& shown = *line.envelope;
    envelope.has_body = true;
    envelope.in_reply_to = shown.in_reply_to;
    envelope.body_is_text = shown.body_is_text;
    envelope.cut = shown.cut;
    envelope.redacted = line.redacted;
    envelope.rejected = shown.rejected;
    envelope.content_type = shown.content_type;
    envelope.trace = shown.trace;
    envelope.body.assign(shown.body.begin(), shown.body.end());
  }
  bytes_ += envelope.body.size() + envelope.content_type.size() + envelope.trace.size();
  if (++envelopes_ > kMaxEnvelopes || bytes_ > kMaxBytes) {
    return Error{Outcome::kTooLarge,
                 fmt::format("more than {} or {} of bodies: choose some with --filter, or split it",
                             cli::counted(kMaxEnvelopes, "envelope"), cli::size_text(kMaxBytes))};
  }
  std::vector<DiffEnvelope>& stream = streams_[{line.from, line.to, line.kind_number}];
  ids.emplace(id, Place{&stream, stream.size()});
  stream.push_back(std::move(envelope));
  return {};
}

void DiffSide::settle(const TailLine& line) {
  const auto sender = places_.find(line.from);
  if (sender == places_.end()) return;
  auto at = sender->second.lower_bound(line.first_id);
  for (; at != sender->second.end() && at->first <= line.last_id; ++at) {
    settle(line, at->second.envelope());
  }
}

void DiffSide::settle(const TailLine& line, DiffEnvelope& envelope) {
  if (line.event == TapEvent::kForwarded) {
    envelope.queues = static_cast<std::uint32_t>(line.queues);
    return;
  }
  const bool is_question = asks(line.kind_number);
  const bool is_answer = line.event == TapEvent::kAnswered;
  // That a request was taken says nothing once it is known what came of it.
  if (envelope.ended && !is_answer) return;
  envelope.ended = is_answer;
  envelope.replied = is_answer && line.reply_id != 0;
  envelope.outcome = line.outcome;
  const bool is_end = is_question ? is_answer : line.event == TapEvent::kDelivered;
  if (is_end && envelope.received_ns != 0 && line.time_ns >= envelope.received_ns) {
    envelope.latency_ns = line.time_ns - envelope.received_ns;
  }
}

}  // namespace zpost::inspect
