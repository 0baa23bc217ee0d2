#include "peer/src/requests.h"

#include <utility>

namespace zpost::peer {

void Requests::add(std::uint64_t id, std::string_view to, Time deadline, Resolver resolver) {
  const auto place = deadlines_.emplace(deadline, id);
  waiting_.emplace(id, Waiting{std::string(to), std::move(resolver), place});
}

Resolver Requests::take(std::unordered_map<std::uint64_t, Waiting>::iterator place) {
  Resolver resolver = std::move(place->second.resolver);
  deadlines_.erase(place->second.deadline);
  waiting_.erase(place);
  return resolver;
}

std::optional<Resolver> Requests::reply(std::string_view from, std::uint64_t in_reply_to) {
  const auto found = waiting_.find(in_reply_to);
  // Only whom it went to may answer it.
  if (found == waiting_.end() || found->second.to != from) return std::nullopt;
  return take(found);
}

std::optional<Resolved> Requests::fail(std::uint64_t id, Failure failure) {
  const auto found = waiting_.find(id);
  if (found == waiting_.end()) return std::nullopt;
  return Resolved{take(found), std::move(failure)};
}

std::vector<Resolved> Requests::expire(Time now) {
  std::vector<Resolved> expired;
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const auto found = waiting_.find(deadlines_.begin()->second);
    Failure failure{Fault::kTimedOut, Outcome::kTimedOut,
                    "no reply from " +
                        (found->second.to.empty() ? "the broker" : found->second.to) + " in time"};
    expired.push_back({take(found), std::move(failure)});
  }
  return expired;
}

std::vector<Resolved> Requests::fail_all(const Failure& failure) {
  std::vector<Resolved> failed;
  while (!waiting_.empty()) failed.push_back({take(waiting_.begin()), failure});
  return failed;
}

}  // namespace zpost::peer
