// Who talks to whom and how much, as a picture. Pure. docs/capture.md, "Graphs".
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tools/inspect/tap_reader.h"
#include "zpost/protocol/kinds.h"

namespace zpost::inspect {

/// Counts what was received and what failed of each pair and kind. Thread: one.
class TrafficGraph {
 public:
  /// Pairs that are told apart; what comes of others is counted in left_out().
  static constexpr std::size_t kMostArrows = 2'000;

  void add(const TapEntry& entry);

  /// `peer` subscribes to `topic` now. No record says so.
  void add_subscriber(const std::string& topic, const std::string& peer);

  /// Topics that something was published to, in the order of their names.
  [[nodiscard]] std::vector<std::string> topics() const;

  /// A digraph of Graphviz.
  [[nodiscard]] std::string dot() const;

  /// A flowchart of Mermaid.
  [[nodiscard]] std::string mermaid() const;

  [[nodiscard]] bool empty() const { return arrows_.empty(); }

  /// Envelopes that have no arrow.
  [[nodiscard]] std::uint64_t left_out() const { return left_out_; }

 private:
  /// A topic may be called as a peer is.
  enum class Form : std::uint8_t { kPeer, kTopic, kService };

  struct Node {
    std::string name;  // Empty: the broker.
    Form form = Form::kPeer;
    auto operator<=>(const Node&) const = default;
  };

  struct Arrow {
    Node from;
    Node to;
    std::uint8_t kind_number = 0;
    auto operator<=>(const Arrow&) const = default;
  };

  struct Amount {
    std::uint64_t envelopes = 0;
    std::uint64_t bytes = 0;
    std::uint64_t failed = 0;
  };

  [[nodiscard]] static Node target(const TapEntry& entry);
  [[nodiscard]] static std::string label(const Arrow& arrow, const Amount& amount,
                                         std::string_view line_break);
  [[nodiscard]] std::map<Node, std::size_t> numbered() const;

  std::map<Arrow, Amount> arrows_;  // In the order of names: equal records give equal pictures.
  std::set<std::pair<Node, Node>> subscribers_;  // By topic.
  std::uint64_t left_out_ = 0;
};

}  // namespace zpost::inspect
