#include "peer/src/requests.h"

#include <utility>

#include "peer/src/ledger.h"

namespace zpost::peer {
namespace {

std::string whom(const std::string& to, bool is_call) {
  if (is_call) return "service " + to;
  return to.empty() ? "the broker" : to;
}

}  // namespace

void Requests::add(const Asked& asked, Resolver resolver) {
  // Most have the same time, so that the latest is the last.
  const auto place = deadlines_.emplace_hint(deadlines_.end(), asked.deadline, asked.id);
  waiting_.emplace(asked.id, Waiting{std::string(asked.to), asked.is_call, asked.streams, false,
                                     std::move(resolver), place});
}

bool Requests::cancel(std::uint64_t id) {
  const auto found = waiting_.find(id);
  if (found == waiting_.end()) return false;
  found->second.cancelled = true;
  return true;
}

std::vector<std::uint64_t> Requests::cancelled() const {
  std::vector<std::uint64_t> ids;
  for (const auto& [id, waiting] : waiting_) {
    if (waiting.cancelled) ids.push_back(id);
  }
  return ids;
}

Resolver Requests::take(WaitingById::iterator place) {
  Resolver resolver = std::move(place->second.resolver);
  deadlines_.erase(place->second.deadline);
  waiting_.erase(place);
  return resolver;
}

std::optional<Requests::Replied> Requests::reply(std::string_view from, std::uint64_t in_reply_to,
                                                 bool more) {
  const auto found = waiting_.find(in_reply_to);
  if (found == waiting_.end()) return std::nullopt;
  // Only whom it went to may answer it; of a call only the broker knows who that is.
  const Waiting& waiting = found->second;
  if (!waiting.is_call && waiting.to != from) return std::nullopt;
  std::string account = waiting.is_call ? kServiceMark + waiting.to : waiting.to;
  if (more && waiting.streams) return Replied{waiting.resolver, std::move(account)};
  return Replied{take(found), std::move(account)};
}

std::optional<Resolved> Requests::fail(std::uint64_t id, Failure failure) {
  const auto found = waiting_.find(id);
  if (found == waiting_.end()) return std::nullopt;
  return Resolved{take(found), std::move(failure)};
}

std::vector<Requests::Expired> Requests::expire(Time now) {
  std::vector<Expired> expired;
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const auto found = waiting_.find(deadlines_.begin()->second);
    Failure failure{Fault::kTimedOut, Outcome::kTimedOut,
                    "no reply from " + whom(found->second.to, found->second.is_call) + " in time"};
    const std::uint64_t id = found->first;
    expired.push_back({id, {take(found), std::move(failure)}});
  }
  return expired;
}

std::vector<Resolved> Requests::fail_all(const Failure& failure) {
  std::vector<Resolved> failed;
  while (!waiting_.empty()) failed.push_back({take(waiting_.begin()), failure});
  return failed;
}

}  // namespace zpost::peer
