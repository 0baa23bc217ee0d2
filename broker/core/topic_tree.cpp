#include "broker/core/topic_tree.h"

#include <algorithm>

#include "zpost/protocol/names.h"

namespace zpost::core {

namespace {

constexpr std::uint32_t kRoot = 0;

}  // namespace

TopicTree::TopicTree() {
  nodes_.take();  // The root.
}

bool TopicTree::set(std::string_view pattern, Subscriber subscriber) {
  NodeId at = kRoot;
  while (!pattern.empty()) at = make_child(at, next_segment(pattern));
  std::vector<Subscriber>& there = nodes_[at].subscribers;
  const auto known = std::find_if(there.begin(), there.end(), [&](const Subscriber& each) {
    return each.session == subscriber.session;
  });
  if (known != there.end()) {
    *known = subscriber;
    return false;
  }
  there.push_back(subscriber);
  ++size_;
  return true;
}

bool TopicTree::remove(std::string_view pattern, SessionId session) {
  const NodeId at = find(pattern);
  if (at == kNone) return false;
  std::vector<Subscriber>& there = nodes_[at].subscribers;
  const auto known = std::find_if(there.begin(), there.end(),
                                  [&](const Subscriber& each) { return each.session == session; });
  if (known == there.end()) return false;
  *known = there.back();
  there.pop_back();
  if (there.empty()) there.shrink_to_fit();
  --size_;
  prune(at);
  return true;
}

void TopicTree::match(std::string_view topic, std::vector<Subscriber>& out) const {
  const auto take = [&](NodeId node) {
    const std::vector<Subscriber>& there = nodes_[node].subscribers;
    out.insert(out.end(), there.begin(), there.end());
  };
  here_.assign(1, kRoot);
  while (!topic.empty() && !here_.empty()) {
    const std::string_view segment = next_segment(topic);
    const auto known = segments_.find(segment);
    next_.clear();
    for (const NodeId node : here_) {
      const Node& at = nodes_[node];
      if (at.rest != kNone) take(at.rest);
      if (at.star != kNone) next_.push_back(at.star);
      if (known == segments_.end()) continue;
      const auto found = edges_.find(edge(node, known->second.id));
      if (found != edges_.end()) next_.push_back(found->second);
    }
    std::swap(here_, next_);
  }
  for (const NodeId node : here_) take(node);
}

TopicTree::NodeId TopicTree::child(NodeId parent, std::string_view segment) const {
  if (segment == "*") return nodes_[parent].star;
  if (segment == "**") return nodes_[parent].rest;
  const auto known = segments_.find(segment);
  if (known == segments_.end()) return kNone;
  const auto found = edges_.find(edge(parent, known->second.id));
  return found == edges_.end() ? kNone : found->second;
}

TopicTree::NodeId TopicTree::find(std::string_view pattern) const {
  NodeId at = kRoot;
  while (!pattern.empty() && at != kNone) at = child(at, next_segment(pattern));
  return at;
}

TopicTree::NodeId TopicTree::make_child(NodeId parent, std::string_view segment) {
  if (const NodeId known = child(parent, segment); known != kNone) return known;
  const NodeId id = nodes_.take();
  nodes_[id].parent = parent;
  Node& above = nodes_[parent];
  ++above.children;
  if (segment == "*") {
    above.star = id;
  } else if (segment == "**") {
    above.rest = id;
  } else {
    nodes_[id].segment = acquire(segment);
    edges_.emplace(edge(parent, nodes_[id].segment), id);
  }
  return id;
}

/// Removes the node, and those above, as far as nobody needs them.
void TopicTree::prune(NodeId node) {
  while (node != kRoot && nodes_[node].children == 0 && nodes_[node].subscribers.empty()) {
    const NodeId parent = nodes_[node].parent;
    Node& above = nodes_[parent];
    --above.children;
    if (above.star == node) {
      above.star = kNone;
    } else if (above.rest == node) {
      above.rest = kNone;
    } else {
      edges_.erase(edge(parent, nodes_[node].segment));
      release(nodes_[node].segment);
    }
    nodes_.free(node);
    node = parent;
  }
}

TopicTree::SegmentId TopicTree::acquire(std::string_view segment) {
  const auto known = segments_.find(segment);
  if (known != segments_.end()) {
    ++known->second.references;
    return known->second.id;
  }
  const SegmentId id = segment_names_.take();
  segment_names_[id] = &segments_.emplace(segment, Segment{id, 1}).first->first;
  return id;
}

void TopicTree::release(SegmentId segment) {
  const auto known = segments_.find(*segment_names_[segment]);
  if (--known->second.references > 0) return;
  segments_.erase(known);
  segment_names_.free(segment);
}

}  // namespace zpost::core
