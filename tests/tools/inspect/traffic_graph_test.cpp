// Pictures of traffic.
#include "tools/inspect/traffic_graph.h"

#include <gtest/gtest.h>

#include <string>

namespace zpost::inspect {
namespace {

TapEntry entry(TapEvent event, const std::string& to, Kind kind, std::uint32_t count = 1) {
  TapEntry made;
  made.record.event = event;
  made.record.count = count;
  made.record.bytes = 40 * count;
  made.record.kind = static_cast<std::uint8_t>(kind);
  made.from = "alice";
  made.to = to;
  return made;
}

TrafficGraph example() {
  TrafficGraph graph;
  graph.add(entry(TapEvent::kReceived, "bob", Kind::kSend, 2));
  graph.add(entry(TapEvent::kReceived, "bob", Kind::kSend));
  graph.add(entry(TapEvent::kDelivered, "bob", Kind::kSend, 3));
  graph.add(entry(TapEvent::kFailed, "nobody", Kind::kSend));
  graph.add(entry(TapEvent::kReceived, "bob", Kind::kPublish));
  graph.add(entry(TapEvent::kReceived, "upper", Kind::kCall));
  return graph;
}

TEST(TrafficGraphTest, DotHasAnArrowForEachPairAndKind) {
  EXPECT_EQ(example().dot(),
            "digraph zpost {\n"
            "  rankdir=LR;\n"
            "  node [shape=box];\n"
            "  n1 [label=\"alice\"];\n"
            "  n2 [label=\"bob\"];\n"
            "  n3 [label=\"bob\", shape=ellipse];\n"
            "  n4 [label=\"nobody\"];\n"
            "  n5 [label=\"upper\", shape=component];\n"
            "  n1 -> n2 [label=\"3 sends, 120 B\"];\n"
            "  n1 -> n3 [label=\"1 publish, 40 B\"];\n"
            "  n1 -> n4 [label=\"send\\n1 failed\", color=red];\n"
            "  n1 -> n5 [label=\"1 call, 40 B\"];\n"
            "}\n");
}

TEST(TrafficGraphTest, ASubscriberThatLostItsCopyIsAPeer) {
  TrafficGraph graph;
  TapEntry lost = entry(TapEvent::kFailed, "slow", Kind::kPublish, 4);
  lost.from = "";  // The broker tells of copies itself.
  graph.add(lost);
  EXPECT_NE(graph.dot().find("[label=\"slow\"];"), std::string::npos) << graph.dot();
}

TEST(TrafficGraphTest, SubscribersHangOnTheirTopicByDashedArrows) {
  TrafficGraph graph;
  graph.add(entry(TapEvent::kReceived, "news", Kind::kPublish));
  EXPECT_EQ(graph.topics(), std::vector<std::string>{"news"});
  graph.add_subscriber("news", "carol");
  graph.add_subscriber("news", "carol");
  const std::string dot = graph.dot();
  EXPECT_NE(dot.find("  n2 [label=\"carol\"];\n"
                     "  n3 [label=\"news\", shape=ellipse];\n"
                     "  n1 -> n3 [label=\"1 publish, 40 B\"];\n"
                     "  n3 -> n2 [style=dashed];\n}"),
            std::string::npos)
      << dot;
  EXPECT_NE(graph.mermaid().find("  n3 -.-> n2\n"), std::string::npos) << graph.mermaid();
}

TEST(TrafficGraphTest, KindsHaveTheirPlurals) {
  TrafficGraph graph;
  graph.add(entry(TapEvent::kReceived, "bob", Kind::kReply, 2));
  graph.add(entry(TapEvent::kReceived, "news", Kind::kPublish, 3));
  const std::string dot = graph.dot();
  EXPECT_NE(dot.find("2 replies, 80 B"), std::string::npos) << dot;
  EXPECT_NE(dot.find("3 publishes, 120 B"), std::string::npos) << dot;
}

TEST(TrafficGraphTest, WhatTheBrokerSendsToInspectorsIsLeftOut) {
  TapEntry own = entry(TapEvent::kFailed, "inspect-1", Kind::kSend);
  own.from.clear();
  TrafficGraph graph;
  graph.add(own);
  EXPECT_EQ(graph.dot().find("inspect-1"), std::string::npos) << graph.dot();
  own.record.kind = static_cast<std::uint8_t>(Kind::kReply);
  graph.add(own);
  EXPECT_NE(graph.dot().find("the broker"), std::string::npos) << graph.dot();
}

TEST(TrafficGraphTest, MermaidHasTheSame) {
  EXPECT_EQ(example().mermaid(),
            "flowchart LR\n"
            "  n1[\"alice\"]\n"
            "  n2[\"bob\"]\n"
            "  n3([\"bob\"])\n"
            "  n4[\"nobody\"]\n"
            "  n5[[\"upper\"]]\n"
            "  n1 -->|\"3 sends, 120 B\"| n2\n"
            "  n1 -->|\"1 publish, 40 B\"| n3\n"
            "  n1 -->|\"send<br>1 failed\"| n4\n"
            "  n1 -->|\"1 call, 40 B\"| n5\n");
}

TEST(TrafficGraphTest, NamesOfAStrangersFileCannotBreakOutOfTheirQuotes) {
  TrafficGraph graph;
  graph.add(entry(TapEvent::kReceived, "a\"];\\\nx", Kind::kSend));
  EXPECT_NE(graph.dot().find("[label=\"a\\\"];"), std::string::npos) << graph.dot();
  EXPECT_NE(graph.mermaid().find("[\"a#quot;];"), std::string::npos) << graph.mermaid();
}

TEST(TrafficGraphTest, PairsBeyondTheLimitAreCounted) {
  TrafficGraph graph;
  for (std::size_t number = 0; number < TrafficGraph::kMostArrows + 2; ++number) {
    graph.add(entry(TapEvent::kReceived, "peer" + std::to_string(number), Kind::kSend));
  }
  EXPECT_EQ(graph.left_out(), 2U);
}

}  // namespace
}  // namespace zpost::inspect
