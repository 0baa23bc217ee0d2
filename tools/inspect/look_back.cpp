#include "tools/inspect/look_back.h"

#include "tools/inspect/patterns.h"

namespace zpost::inspect {
namespace {

using std::chrono::milliseconds;

/// Takes one body of the answer. True: it was the last.
bool take_body(TapReader& reader, Bytes body, RecallEnd& end, const TakeRecalled& take,
               std::string& fault) {
  std::vector<TapEntry> entries;
  const Result<void> read = reader.read(body, entries);
  if (!read) fault = read.error().text;
  for (TapEntry& entry : entries) {
    end.missed += entry.missed;
    if (entry.record.event == TapEvent::kEnd) {
      end.newest_ns = entry.record.time_ns;
      end.oldest_ns = entry.record.first_id;
      entry.record.event = TapEvent::kMissed;
      if (entry.missed > 0) take(entry);
      return true;
    }
    entry.shown = {};
    take(entry);
  }
  return !fault.empty();
}

bool is_answer(const EnvelopeView& view) {
  if (!view.from.empty() || view.kind() != Kind::kSend) return false;
  const Result<Meta> meta = read_meta(view);
  return meta && meta->content_type == kRecallContentType;
}

}  // namespace

ByteBuffer encode(const RecallWish& wish) {
  const auto [to, filter] = target_question(wish.to, wish.filter);
  ByteBuffer body;
  MsgpackWriter writer(body);
  std::size_t entries = 1;
  for (const bool said :
       {!wish.from.empty(), !to.empty(), !wish.kinds.empty(), wish.id.has_value(),
        wish.since_ns != 0, wish.until_ns != UINT64_MAX, wish.latest != 0, !filter.empty()}) {
    entries += said ? 1 : 0;
  }
  writer.map(entries).str("op").str("recall");
  if (!wish.from.empty()) writer.str("from").str(wish.from);
  if (!to.empty()) writer.str("to").str(to);
  if (wish.id) writer.str("id").uint(*wish.id);
  if (wish.since_ns != 0) writer.str("since").uint(wish.since_ns);
  if (wish.until_ns != UINT64_MAX) writer.str("until").uint(wish.until_ns);
  if (wish.latest != 0) writer.str("latest").uint(wish.latest);
  if (!filter.empty()) writer.str("filter").str(filter);
  if (wish.kinds.empty()) return body;
  writer.str("kinds").array(wish.kinds.size());
  for (const Kind kind : wish.kinds) writer.uint(static_cast<std::uint64_t>(kind));
  return body;
}

peer::Answer<RecallEnd> stream_back(peer::Peer& peer, const RecallWish& wish, milliseconds patience,
                                    const TakeRecalled& take) {
  const peer::Answer<peer::Message> answer = peer.request("", encode(wish), patience).get();
  if (!answer) return answer.error();
  RecallEnd end;
  TapReader reader;
  peer::Batch batch;
  bool over = false;
  std::string fault;
  while (!over) {
    if (!peer.receive_batch(batch, patience)) {
      return peer::Failure{peer::Fault::kTimedOut, Outcome::kNone,
                           "the broker says no more of what it recorded"};
    }
    for (const EnvelopeView& view : batch.envelopes()) {
      if (!over && is_answer(view)) over = take_body(reader, view.body, end, take, fault);
    }
    peer.take();
  }
  if (!fault.empty()) return peer::Failure{peer::Fault::kFailed, Outcome::kMalformed, fault};
  return end;
}

peer::Answer<Recalled> look_back(peer::Peer& peer, const RecallWish& wish, milliseconds patience) {
  Recalled recalled;
  const auto keep = [&recalled](const TapEntry& entry) {
    if (entry.record.event == TapEvent::kMissed) return;
    if (recalled.records.size() >= kMostRecalled) {
      recalled.cut = true;
      return;
    }
    recalled.records.push_back(entry);
    recalled.records.back().missed = 0;
  };
  const peer::Answer<RecallEnd> end = stream_back(peer, wish, patience, keep);
  if (!end) return end.error();
  recalled.missed = end->missed;
  recalled.oldest_ns = end->oldest_ns;
  recalled.newest_ns = end->newest_ns;
  return recalled;
}

}  // namespace zpost::inspect
