#include "tools/inspect/traffic_graph.h"

#include <fmt/format.h>

#include "peer/cli/shared/text.h"
#include "peer/cli/shared/units.h"

namespace zpost::inspect {
namespace {

/// As both languages may have it between double quotes.
std::string quoted(const std::string& name, std::string_view quote) {
  std::string text;
  for (const char each : cli::visible_line(name)) {
    if (each == '"') {
      text += quote;
    } else {
      text += each == '\\' ? '/' : each;
    }
  }
  return name.empty() ? "the broker" : text;
}

std::string kind_word(std::uint8_t kind_number) {
  return kind_number == 0 ? "envelope" : std::string(kind_name(static_cast<Kind>(kind_number)));
}

}  // namespace

void TrafficGraph::add(const TapEntry& entry) {
  const TapRecord& record = entry.record;
  const bool received = record.event == TapEvent::kReceived;
  if (!received && record.event != TapEvent::kFailed) return;
  // What the broker sends to inspectors is no traffic of anybody's.
  if (entry.from.empty() && record.kind == static_cast<std::uint8_t>(Kind::kSend)) return;
  const Arrow arrow{{entry.from, Form::kPeer}, target(entry), record.kind};
  if (arrows_.size() >= kMostArrows && !arrows_.contains(arrow)) {
    if (received) left_out_ += record.count;
    return;
  }
  Amount& amount = arrows_[arrow];
  if (received) {
    amount.envelopes += record.count;
    amount.bytes += record.bytes;
  } else {
    amount.failed += record.count;
  }
}

void TrafficGraph::add_subscriber(const std::string& topic, const std::string& peer) {
  if (subscribers_.size() >= kMostArrows) return;
  subscribers_.insert({{topic, Form::kTopic}, {peer, Form::kPeer}});
}

std::vector<std::string> TrafficGraph::topics() const {
  std::set<std::string> names;
  for (const auto& [arrow, amount] : arrows_) {
    if (arrow.to.form == Form::kTopic) names.insert(arrow.to.name);
  }
  return {names.begin(), names.end()};
}

TrafficGraph::Node TrafficGraph::target(const TapEntry& entry) {
  switch (static_cast<Kind>(entry.record.kind)) {
    case Kind::kPublish:
      // Of a subscriber's copy the broker tells itself.
      return {entry.to, entry.from.empty() ? Form::kPeer : Form::kTopic};
    case Kind::kCall:
      return {entry.to, Form::kService};
    default:
      return {entry.to, Form::kPeer};
  }
}

std::string TrafficGraph::label(const Arrow& arrow, const Amount& amount,
                                std::string_view line_break) {
  // What fails at once is told as failed only.
  std::string text =
      amount.envelopes == 0
          ? kind_word(arrow.kind_number)
          : fmt::format("{}, {}", cli::counted(amount.envelopes, kind_word(arrow.kind_number)),
                        cli::size_text(amount.bytes));
  if (amount.failed > 0) {
    text += fmt::format("{}{} failed", line_break, cli::count_text(amount.failed));
  }
  return text;
}

std::map<TrafficGraph::Node, std::size_t> TrafficGraph::numbered() const {
  std::map<Node, std::size_t> nodes;
  for (const auto& [arrow, amount] : arrows_) {
    nodes.emplace(arrow.from, 0);
    nodes.emplace(arrow.to, 0);
  }
  for (const auto& [topic, peer] : subscribers_) {
    nodes.emplace(topic, 0);
    nodes.emplace(peer, 0);
  }
  std::size_t number = 0;
  for (auto& [node, place] : nodes) place = ++number;
  return nodes;
}

std::string TrafficGraph::dot() const {
  const std::map<Node, std::size_t> nodes = numbered();
  std::string text = "digraph zpost {\n  rankdir=LR;\n  node [shape=box];\n";
  for (const auto& [node, number] : nodes) {
    const std::string_view shape = node.form == Form::kPeer    ? ""
                                   : node.form == Form::kTopic ? ", shape=ellipse"
                                                               : ", shape=component";
    text += fmt::format("  n{} [label=\"{}\"{}];\n", number, quoted(node.name, "\\\""), shape);
  }
  for (const auto& [arrow, amount] : arrows_) {
    text +=
        fmt::format("  n{} -> n{} [label=\"{}\"{}];\n", nodes.at(arrow.from), nodes.at(arrow.to),
                    label(arrow, amount, "\\n"), amount.failed > 0 ? ", color=red" : "");
  }
  for (const auto& [topic, peer] : subscribers_) {
    text += fmt::format("  n{} -> n{} [style=dashed];\n", nodes.at(topic), nodes.at(peer));
  }
  return text + "}\n";
}

std::string TrafficGraph::mermaid() const {
  const std::map<Node, std::size_t> nodes = numbered();
  std::string text = "flowchart LR\n";
  for (const auto& [node, number] : nodes) {
    const std::string name = quoted(node.name, "#quot;");
    switch (node.form) {
      case Form::kPeer:
        text += fmt::format("  n{}[\"{}\"]\n", number, name);
        break;
      case Form::kTopic:
        text += fmt::format("  n{}([\"{}\"])\n", number, name);
        break;
      case Form::kService:
        text += fmt::format("  n{}[[\"{}\"]]\n", number, name);
        break;
    }
  }
  for (const auto& [arrow, amount] : arrows_) {
    text += fmt::format("  n{} -->|\"{}\"| n{}\n", nodes.at(arrow.from),
                        label(arrow, amount, "<br>"), nodes.at(arrow.to));
  }
  for (const auto& [topic, peer] : subscribers_) {
    text += fmt::format("  n{} -.-> n{}\n", nodes.at(topic), nodes.at(peer));
  }
  return text;
}

}  // namespace zpost::inspect
