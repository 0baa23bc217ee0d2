#include "tools/inspect/look_back.h"

#include <utility>

namespace zpost::inspect {
namespace {

using std::chrono::milliseconds;

/// Takes one body of the answer. True: it was the last.
bool take_body(TapReader& reader, Bytes body, Recalled& recalled, std::string& fault) {
  std::vector<TapEntry> entries;
  const Result<void> read = reader.read(body, entries);
  if (!read) fault = read.error().text;
  for (TapEntry& entry : entries) {
    recalled.missed += std::exchange(entry.missed, 0);
    if (entry.record.event == TapEvent::kEnd) {
      recalled.newest_ns = entry.record.time_ns;
      recalled.oldest_ns = entry.record.first_id;
      return true;
    }
    if (entry.record.event == TapEvent::kMissed) continue;
    entry.shown = {};
    if (recalled.records.size() < kMostRecalled) {
      recalled.records.push_back(std::move(entry));
    } else {
      recalled.cut = true;
    }
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
  ByteBuffer body;
  MsgpackWriter writer(body);
  std::size_t entries = 1;
  for (const bool said :
       {!wish.from.empty(), !wish.to.empty(), !wish.kinds.empty(), wish.id.has_value(),
        wish.since_ns != 0, wish.until_ns != UINT64_MAX, wish.latest != 0, !wish.filter.empty()}) {
    entries += said ? 1 : 0;
  }
  writer.map(entries).str("op").str("recall");
  if (!wish.from.empty()) writer.str("from").str(wish.from);
  if (!wish.to.empty()) writer.str("to").str(wish.to);
  if (!wish.filter.empty()) writer.str("filter").str(wish.filter);
  if (wish.id) writer.str("id").uint(*wish.id);
  if (wish.since_ns != 0) writer.str("since").uint(wish.since_ns);
  if (wish.until_ns != UINT64_MAX) writer.str("until").uint(wish.until_ns);
  if (wish.latest != 0) writer.str("latest").uint(wish.latest);
  if (wish.kinds.empty()) return body;
  writer.str("kinds").array(wish.kinds.size());
  for (const Kind kind : wish.kinds) writer.uint(static_cast<std::uint64_t>(kind));
  return body;
}

peer::Answer<Recalled> look_back(peer::Peer& peer, const RecallWish& wish, milliseconds patience) {
  const peer::Answer<peer::Message> answer = peer.request("", encode(wish), patience).get();
  if (!answer) return answer.error();
  Recalled recalled;
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
      if (!over && is_answer(view)) over = take_body(reader, view.body, recalled, fault);
    }
    peer.take();
  }
  if (!fault.empty()) return peer::Failure{peer::Fault::kFailed, Outcome::kMalformed, fault};
  return recalled;
}

}  // namespace zpost::inspect
