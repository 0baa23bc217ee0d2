#include "tools/inspect/exchange_pairs.h"

#include <algorithm>
#include <iterator>

#include "zpost/protocol/kinds.h"

namespace zpost::inspect {
namespace {

bool is_of_kind(const TailLine& line, Kind kind) {
  return line.kind_number == static_cast<std::uint8_t>(kind);
}

bool asks(const TailLine& line) {
  return is_of_kind(line, Kind::kRequest) || is_of_kind(line, Kind::kCall);
}

std::uint64_t since(std::uint64_t begin_ns, std::uint64_t end_ns) {
  return end_ns > begin_ns ? end_ns - begin_ns : 0;
}

std::size_t kept_bytes(const Exchange& exchange) {
  return (exchange.request ? exchange.request->bytes() : 0) +
         (exchange.reply ? exchange.reply->bytes() : 0);
}

}  // namespace

void ExchangePairs::add(const TailLine& line, bool wanted, std::vector<Exchange>& done) {
  if (line.event == TapEvent::kMissed) return settle(done);
  if (line.event == TapEvent::kReceived && is_of_kind(line, Kind::kReply)) {
    return line.envelope ? add_reply(line, wanted, done) : add_unshown_reply(line, wanted, done);
  }
  if (!asks(line)) return;
  switch (line.event) {
    case TapEvent::kReceived:
      return open(line, wanted, done);
    case TapEvent::kAnswered:
      return answer(line, wanted, done);
    case TapEvent::kFailed:
      return fail(line, wanted, done);
    default:
      return note(line, wanted);
  }
}

void ExchangePairs::settle(std::vector<Exchange>& done) {
  for (const Key& key : std::exchange(waiting_, {})) {
    const auto found = by_id_.find(key);
    if (found != by_id_.end()) end(found->second, ExchangeEnd::kReplied, done);
  }
}

void ExchangePairs::finish(std::vector<Exchange>& done) {
  settle(done);
  while (!open_.empty()) end(open_.begin(), ExchangeEnd::kOpen, done);
}

/// Of a run that is not shown envelope by envelope the first one only: the ids between are not
/// known.
void ExchangePairs::open(const TailLine& line, bool wanted, std::vector<Exchange>& done) {
  const Key key{line.from, line.first_id};
  if (by_id_.contains(key)) return;  // Sent again.
  Exchange exchange;
  exchange.asker = line.from;
  exchange.to = line.to;
  exchange.kind_number = line.kind_number;
  exchange.id = line.first_id;
  exchange.time_ns = line.time_ns;
  exchange.request.emplace(line);
  exchange.wanted = wanted;
  bytes_ += kept_bytes(exchange);
  open_.push_back(std::move(exchange));
  by_id_.emplace(key, std::prev(open_.end()));
  while (open_.size() > kMaxOpen || (bytes_ > kMaxBytes && open_.size() > 1)) {
    end(open_.begin(), ExchangeEnd::kForgotten, done);
  }
}

void ExchangePairs::add_reply(const TailLine& line, bool wanted, std::vector<Exchange>& done) {
  const auto found = by_id_.find(Key{line.to, line.envelope->in_reply_to});
  if (found == by_id_.end()) return;
  const List::iterator exchange = found->second;
  keep_reply(*exchange, line, wanted);
  const bool is_last = exchange->reply_id != 0 && exchange->reply_id == line.first_id;
  if (is_last) end(exchange, ExchangeEnd::kReplied, done);
}

/// Only headers are there: the answer's record said which reply it is.
void ExchangePairs::add_unshown_reply(const TailLine& line, bool wanted,
                                      std::vector<Exchange>& done) {
  const std::vector<Key> waiting = waiting_;
  for (const Key& key : waiting) {
    const auto found = by_id_.find(key);
    if (found == by_id_.end()) continue;
    const List::iterator exchange = found->second;
    const bool is_it = exchange->asker == line.to && exchange->holder == line.from &&
                       exchange->reply_id >= line.first_id && exchange->reply_id <= line.last_id;
    if (!is_it) continue;
    keep_reply(*exchange, line, wanted);
    end(exchange, ExchangeEnd::kReplied, done);
  }
}

void ExchangePairs::keep_reply(Exchange& exchange, const TailLine& line, bool wanted) {
  exchange.wanted = exchange.wanted || wanted;
  if (exchange.holder.empty()) exchange.holder = line.from;
  if (exchange.request && !exchange.first_reply_ns) {
    exchange.first_reply_ns = since(exchange.time_ns, line.time_ns);
  }
  bytes_ -= exchange.reply ? exchange.reply->bytes() : 0;
  exchange.reply.emplace(line);
  bytes_ += exchange.reply->bytes();
  exchange.replies += 1;
  exchange.reply_bytes += line.count == 1 ? line.bytes : 0;
}

void ExchangePairs::answer(const TailLine& line, bool wanted, std::vector<Exchange>& done) {
  const Key key{line.from, line.first_id};
  auto found = by_id_.find(key);
  if (found == by_id_.end()) {
    open_.push_back(unseen(line, wanted));
    found = by_id_.emplace(key, std::prev(open_.end())).first;
  }
  const List::iterator exchange = found->second;
  exchange->wanted = exchange->wanted || wanted;
  if (!line.to.empty()) exchange->holder = line.to;
  exchange->outcome = line.outcome;
  exchange->reply_id = line.reply_id;
  exchange->round_trip_ns =
      exchange->request ? since(exchange->time_ns, line.time_ns) : line.latency_ns;
  if (line.reply_id == 0) return end(exchange, ExchangeEnd::kFailed, done);
  const bool is_here = exchange->reply && exchange->reply->line().last_id == line.reply_id;
  if (is_here) return end(exchange, ExchangeEnd::kReplied, done);
  waiting_.push_back(key);
  if (waiting_.size() > kMaxWaiting) settle(done);
}

/// All of a run that were seen; if none was, the run as one.
void ExchangePairs::fail(const TailLine& line, bool wanted, std::vector<Exchange>& done) {
  bool found_one = false;
  auto found = by_id_.lower_bound(Key{line.from, line.first_id});
  while (found != by_id_.end() && found->first.first == line.from &&
         found->first.second <= line.last_id) {
    const List::iterator exchange = (found++)->second;
    exchange->wanted = exchange->wanted || wanted;
    exchange->outcome = line.outcome;
    exchange->round_trip_ns = since(exchange->time_ns, line.time_ns);
    end(exchange, ExchangeEnd::kFailed, done);
    found_one = true;
  }
  if (found_one) return;
  Exchange exchange = unseen(line, wanted);
  exchange.end = ExchangeEnd::kFailed;
  exchange.outcome = line.outcome;
  exchange.count = line.count;
  exchange.round_trip_ns = line.latency_ns;
  done.push_back(std::move(exchange));
}

void ExchangePairs::note(const TailLine& line, bool wanted) {
  auto found = by_id_.lower_bound(Key{line.from, line.first_id});
  for (; found != by_id_.end() && found->first.first == line.from &&
         found->first.second <= line.last_id;
       ++found) {
    Exchange& exchange = *found->second;
    exchange.wanted = exchange.wanted || wanted;
    if (line.event == TapEvent::kAssigned) exchange.holder = line.to;
    ExchangeNote note{line.event, line.to, line.held, line.attempt};
    const bool is_new = std::ranges::find(exchange.notes, note) == exchange.notes.end();
    if (is_new && exchange.notes.size() < kMaxNotes) exchange.notes.push_back(std::move(note));
  }
}

void ExchangePairs::end(List::iterator exchange, ExchangeEnd how, std::vector<Exchange>& done) {
  exchange->end = how;
  bytes_ -= kept_bytes(*exchange);
  const Key key{exchange->asker, exchange->id};
  by_id_.erase(key);
  std::erase(waiting_, key);
  done.push_back(std::move(*exchange));
  open_.erase(exchange);
}

Exchange ExchangePairs::unseen(const TailLine& line, bool wanted) {
  Exchange exchange;
  exchange.asker = line.from;
  exchange.to = line.to;
  exchange.kind_number = line.kind_number;
  exchange.id = line.first_id;
  exchange.time_ns = line.time_ns;
  exchange.wanted = wanted;
  return exchange;
}

}  // namespace zpost::inspect
