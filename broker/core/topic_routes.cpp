#include "broker/core/topic_routes.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace zpost::core {

namespace {

constexpr std::size_t kMaxRoutes = 16'384;
constexpr int kLatestBits = 12;

/// A number, its high bits above all, for the beginning and the end of a topic: topics that differ
/// elsewhere share it, which costs a lookup and nothing else.
std::uint64_t ends_of(std::string_view topic) {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  if (topic.size() >= sizeof first) {
    std::memcpy(&first, topic.data(), sizeof first);
    std::memcpy(&last, topic.data() + topic.size() - sizeof last, sizeof last);
  } else if (!topic.empty()) {
    std::memcpy(&first, topic.data(), topic.size());
  }
  return (first ^ (last + topic.size()) * 0xc2b2ae3d27d4eb4f) * 0x9e3779b97f4a7c15;
}

/// How strict a policy is, where several of a session's patterns match.
int strictness(SlowPolicy policy) {
  switch (policy) {
    case SlowPolicy::kBlock:
      return 2;
    case SlowPolicy::kDisconnect:
      return 1;
    case SlowPolicy::kDropOldest:
      break;
  }
  return 0;
}

/// One entry a session, in order.
void merge(std::vector<Subscriber>& found) {
  std::sort(found.begin(), found.end(),
            [](const Subscriber& a, const Subscriber& b) { return a.session < b.session; });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (kept == 0 || found[kept - 1].session != found[i].session) {
      found[kept++] = found[i];
      continue;
    }
    Subscriber& same = found[kept - 1];
    same.excludes_own = same.excludes_own && found[i].excludes_own;
    if (strictness(found[i].policy) > strictness(same.policy)) same.policy = found[i].policy;
  }
  found.resize(kept);
}

std::uint64_t hash_of(const std::vector<Subscriber>& members) {
  std::uint64_t hash = members.size();
  for (const Subscriber& each : members) {
    const std::uint64_t bits = std::uint64_t{each.session} << 8 |
                               static_cast<std::uint64_t>(each.policy) << 1 |
                               std::uint64_t{each.excludes_own};
    hash = (hash ^ bits) * 0x9e3779b97f4a7c15;
    hash ^= hash >> 29;
  }
  return hash;
}

}  // namespace

bool TopicRoutes::subscribe(std::string_view pattern, Subscriber subscriber) {
  forget();
  return tree_.set(pattern, subscriber);
}

bool TopicRoutes::unsubscribe(std::string_view pattern, SessionId session) {
  if (!tree_.remove(pattern, session)) return false;
  forget();
  return true;
}

const TopicRoutes::Routes::value_type*& TopicRoutes::place_of(std::string_view topic) {
  if (latest_.empty()) latest_.resize(std::size_t{1} << kLatestBits);
  return latest_[ends_of(topic) >> (64 - kLatestBits)];
}

const Route* TopicRoutes::find(std::string_view topic) {
  const Routes::value_type*& latest = place_of(topic);
  if (latest != nullptr && latest->first == topic) return &latest->second;
  const auto known = routes_.find(topic);
  if (known == routes_.end()) return nullptr;
  latest = &*known;
  return &known->second;
}

Route TopicRoutes::route(std::string_view topic) {
  if (const Route* const known = find(topic)) return *known;
  scratch_.clear();
  tree_.match(topic, scratch_);
  merge(scratch_);
  Audience audience;
  audience.members = scratch_;
  for (const Subscriber& each : scratch_) {
    audience.some_exclude_own |= each.excludes_own;
    audience.some_block |= each.policy == SlowPolicy::kBlock;
  }
  const Route route{find_or_make(std::move(audience)), directory_->acquire(topic)};
  routes_.emplace(topic, route);
  return route;
}

void TopicRoutes::trim() {
  if (routes_.size() > kMaxRoutes) forget();
}

void TopicRoutes::forget() {
  for (const auto& [topic, route] : routes_) directory_->release(route.name);
  routes_.clear();
  latest_.clear();
  audiences_.clear();
  by_hash_.clear();
}

AudienceId TopicRoutes::find_or_make(Audience audience) {
  const std::uint64_t hash = hash_of(audience.members);
  const auto [begin, end] = by_hash_.equal_range(hash);
  for (auto at = begin; at != end; ++at) {
    if (audiences_[at->second].members == audience.members) return at->second;
  }
  const auto id = static_cast<AudienceId>(audiences_.size());
  audiences_.push_back(std::move(audience));
  by_hash_.emplace(hash, id);
  return id;
}

}  // namespace zpost::core
