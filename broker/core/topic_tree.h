// Who subscribes to what: patterns in, subscribers of a topic out. SPEC.md, section 16.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/core/action.h"
#include "broker/core/slots.h"
#include "zpost/protocol/control.h"

namespace zpost::core {

struct Subscriber {
  SessionId session = kNone;
  SlowPolicy policy = SlowPolicy::kDropOldest;
  bool excludes_own = false;

  bool operator==(const Subscriber&) const = default;
};

/// Patterns as a tree of segments. Finding who subscribes to a topic visits the nodes that agree
/// with a beginning of it: at most two a level and node visited (its segment, `*`), whatever the
/// number of patterns. Thread: one.
class TopicTree {
 public:
  TopicTree();

  /// Adds the subscriber, or replaces the one of the same session. True if it was not there.
  /// REQUIRES: is_topic_pattern(pattern).
  bool set(std::string_view pattern, Subscriber subscriber);

  /// False if there was none.
  bool remove(std::string_view pattern, SessionId session);

  /// Appends everyone whose pattern matches: a session once for each of its patterns.
  void match(std::string_view topic, std::vector<Subscriber>& out) const;

  /// Subscriptions: pairs of a pattern and a session.
  [[nodiscard]] std::size_t size() const { return size_; }

  [[nodiscard]] std::size_t nodes() const { return nodes_.used(); }

 private:
  using NodeId = std::uint32_t;
  using SegmentId = std::uint32_t;

  struct Node {
    NodeId parent = kNone;
    SegmentId segment = kNone;
    std::uint32_t children = 0;
    NodeId star = kNone;  // Where `*` leads.
    NodeId rest = kNone;  // Where `**` leads: it has no children.
    std::vector<Subscriber> subscribers;
  };

  struct Segment {
    SegmentId id = kNone;
    std::uint32_t references = 0;
  };

  static std::uint64_t edge(NodeId parent, SegmentId segment) {
    return std::uint64_t{parent} << 32 | segment;
  }

  [[nodiscard]] NodeId child(NodeId parent, std::string_view segment) const;
  [[nodiscard]] NodeId find(std::string_view pattern) const;
  NodeId make_child(NodeId parent, std::string_view segment);
  void prune(NodeId node);
  [[nodiscard]] SegmentId acquire(std::string_view segment);
  void release(SegmentId segment);

  Slots<Node> nodes_;
  std::unordered_map<std::uint64_t, NodeId> edges_;
  std::unordered_map<std::string, Segment, TextHash, std::equal_to<>> segments_;
  Slots<const std::string*> segment_names_;
  std::size_t size_ = 0;
  // Scratch of match(): the nodes that agree with the topic so far.
  mutable std::vector<NodeId> here_;
  mutable std::vector<NodeId> next_;
};

}  // namespace zpost::core
