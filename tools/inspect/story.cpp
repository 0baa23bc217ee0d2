#include "tools/inspect/story.h"

#include <algorithm>
#include <array>
#include <map>

#include "zpost/protocol/kinds.h"

namespace zpost::inspect {
namespace {

/// Whether the record speaks of the envelope `id` of its sender.
bool tells_of(const TapRecord& record, std::uint64_t id) {
  switch (record.event) {
    case TapEvent::kSession:
    case TapEvent::kName:
    case TapEvent::kMissed:
    case TapEvent::kEnd:
    case TapEvent::kDropped:
    case TapEvent::kFlow:
      return false;
    case TapEvent::kAnswered:
      return record.first_id == id;
    default:
      return has_id(record, id);
  }
}

/// The record as if it were of this envelope alone.
TailLine line_of(const TapEntry& entry, std::uint64_t id) {
  TapEntry single = entry;
  single.shown = {};
  single.missed = 0;
  TapRecord& record = single.record;
  if (record.count > 1) record.bytes /= record.count;
  record.count = 1;
  if (record.event != TapEvent::kAnswered) record.first_id = record.last_id = id;
  std::vector<TailLine> lines;
  append_lines(single, lines);
  return lines.empty() ? TailLine{} : lines.front();
}

void add_step(Story& story, TailLine line) {
  if (line.event == TapEvent::kReceived || story.to.empty()) {
    story.to = line.to;
    story.kind_number = line.kind_number;
  }
  if (line.event == TapEvent::kReceived || line.event == TapEvent::kFailed) {
    story.bytes = std::max(story.bytes, line.bytes);
  }
  if (line.event == TapEvent::kAssigned) story.worker = line.to;
  story.steps.push_back(std::move(line));
}

/// What seemed to go and did not is one step: it waits.
void drop_false_starts(Story& story) {
  std::vector<TailLine> kept;
  for (TailLine& step : story.steps) {
    const bool waits = step.event == TapEvent::kHeld && !kept.empty() &&
                       kept.back().event == TapEvent::kForwarded &&
                       kept.back().time_ns == step.time_ns;
    if (waits) kept.pop_back();
    kept.push_back(std::move(step));
  }
  story.steps = std::move(kept);
}

/// In one turn of the broker a peer comes before what it is sent, and goes after it.
bool comes_before(const TailLine& one, const TailLine& other) {
  const auto rank = [](const TailLine& step) {
    if (step.event != TapEvent::kSession) return 1;
    const bool comes =
        step.change == SessionChange::kJoined || step.change == SessionChange::kResumed;
    return comes ? 0 : 2;
  };
  if (one.time_ns != other.time_ns) return one.time_ns < other.time_ns;
  return rank(one) < rank(other);
}

bool settles(const TailLine& step) {
  return step.event == TapEvent::kDelivered || step.event == TapEvent::kFailed;
}

}  // namespace

std::string_view fate_name(Fate fate) {
  constexpr std::array<std::string_view, 10> kNames{
      "unknown", "held",      "under-way",   "with-worker", "in-hand",
      "spread",  "delivered", "unconfirmed", "answered",    "failed"};
  return kNames[static_cast<std::size_t>(fate)];
}

bool Story::is_question() const {
  const auto kind = static_cast<Kind>(kind_number);
  return kind == Kind::kRequest || kind == Kind::kCall;
}

std::vector<Story> stories(const std::vector<TapEntry>& records, std::uint64_t id) {
  std::map<std::string, Story> by_sender;
  for (const TapEntry& entry : records) {
    if (!tells_of(entry.record, id)) continue;
    Story& story = by_sender[entry.from];
    story.from = entry.from;
    story.id = id;
    add_step(story, line_of(entry, id));
  }
  std::vector<Story> all;
  for (auto& [name, story] : by_sender) {
    drop_false_starts(story);
    all.push_back(std::move(story));
  }
  return all;
}

void add_sessions(Story& story, const std::vector<TapEntry>& records) {
  if (story.steps.empty()) return;
  const std::uint64_t begin = story.steps.front().time_ns;
  const bool over = settles(story.steps.back()) || story.steps.back().event == TapEvent::kAnswered;
  const std::uint64_t end = over ? story.steps.back().time_ns : UINT64_MAX;
  for (const TapEntry& entry : records) {
    const TapRecord& record = entry.record;
    const bool matters = record.event == TapEvent::kSession && entry.from == story.taker() &&
                         record.time_ns >= begin && record.time_ns <= end;
    if (!matters) continue;
    std::vector<TailLine> lines;
    append_lines(entry, lines);
    if (!lines.empty()) story.steps.push_back(std::move(lines.back()));
  }
  std::ranges::stable_sort(story.steps, comes_before);
}

std::vector<ReplyRef> replies_of(const Story& story) {
  std::vector<ReplyRef> replies;
  for (const TailLine& step : story.steps) {
    if (step.event == TapEvent::kAnswered && step.reply_id != 0) {
      replies.push_back({step.to, step.reply_id});
    }
  }
  return replies;
}

std::optional<std::uint64_t> question_of(const Story& reply, const std::vector<TapEntry>& records) {
  for (const TapEntry& entry : records) {
    const TapRecord& record = entry.record;
    if (record.event == TapEvent::kAnswered && record.code == 0 && record.last_id == reply.id &&
        entry.to == reply.from && entry.from == reply.to) {
      return record.first_id;
    }
  }
  return std::nullopt;
}

}  // namespace zpost::inspect
