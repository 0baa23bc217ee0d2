#include "tools/inspect/exchange_choice.h"

#include <vector>

#include "tools/inspect/tail_filter.h"

namespace zpost::inspect {
namespace {

/// Of a reply that was not seen nobody can tell that it says no.
Outcome judged_outcome(const Exchange& exchange, const ExchangeLines& lines) {
  const Outcome outcome = outcome_of(exchange, lines);
  const bool is_unseen = outcome == Outcome::kNone && exchange.end == ExchangeEnd::kReplied;
  return is_unseen ? Outcome::kDelivered : outcome;
}

/// The request as it was received, or what is known of it.
filter::Subject asked(const Exchange& exchange, const ExchangeLines& lines) {
  if (lines.request) return subject_of(*lines.request);
  return {.event = exchange.end == ExchangeEnd::kFailed ? TapEvent::kFailed : TapEvent::kAnswered,
          .from = exchange.asker,
          .to = exchange.to,
          .kind_number = exchange.kind_number,
          .first_id = exchange.id,
          .last_id = exchange.id,
          .count = exchange.count};
}

}  // namespace

bool wants_exchange(const filter::Filter& filter, const Exchange& exchange,
                    const ExchangeLines& lines) {
  // Everything about the request has its body, so that a test of that is answered by them all.
  filter::Subject request = asked(exchange, lines);
  request.outcome = judged_outcome(exchange, lines);
  request.latency_ns = exchange.round_trip_ns;
  std::vector<filter::Subject> parts{request};
  for (const ExchangeNote& note : exchange.notes) {
    filter::Subject part = request;
    part.event = note.event;
    part.to = note.to;
    part.held = note.held;
    part.attempt = note.attempt;
    parts.push_back(part);
  }
  if (exchange.end == ExchangeEnd::kReplied || exchange.end == ExchangeEnd::kFailed) {
    filter::Subject end = request;
    end.event = exchange.end == ExchangeEnd::kReplied ? TapEvent::kAnswered : TapEvent::kFailed;
    if (!exchange.holder.empty()) end.to = exchange.holder;
    parts.push_back(end);
  }
  if (lines.reply) {
    filter::Subject reply = subject_of(*lines.reply);
    reply.latency_ns = exchange.round_trip_ns;
    parts.push_back(reply);
  }
  return filter.evaluate_whole(parts).may_be_yes();
}

}  // namespace zpost::inspect
