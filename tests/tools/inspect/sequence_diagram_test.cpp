// Conversations as sequence diagrams.
#include "tools/inspect/sequence_diagram.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "zpost/protocol/kinds.h"

namespace zpost::inspect {
namespace {

class SequenceDiagramTest : public testing::Test {
 protected:
  static constexpr std::uint64_t kStart = 1'767'225'600'000'000'000;
  static constexpr std::uint64_t kMs = 1'000'000;

  TapRecord& add(TapEvent event, std::uint64_t ms, const std::string& from, const std::string& to,
                 Kind kind, std::uint64_t id) {
    TapEntry entry;
    entry.record.event = event;
    entry.record.time_ns = kStart + ms * kMs;
    entry.record.first_id = entry.record.last_id = id;
    entry.record.count = 1;
    entry.record.bytes = 40;
    entry.record.kind = static_cast<std::uint8_t>(kind);
    entry.from = from;
    entry.to = to;
    records_.push_back(entry);
    return records_.back().record;
  }

  void exchange() {
    add(TapEvent::kReceived, 0, "alice", "bob", Kind::kRequest, 7);
    add(TapEvent::kReceived, 1, "carol", "bob", Kind::kSend, 8);
    add(TapEvent::kDelivered, 2, "alice", "bob", Kind::kRequest, 7);
    add(TapEvent::kReceived, 5, "bob", "alice", Kind::kReply, 9);
    add(TapEvent::kAnswered, 5, "alice", "bob", Kind::kRequest, 7).last_id = 9;
  }

  std::vector<TapEntry> records_;
};

constexpr const char* kExchange =
    "sequenceDiagram\n"
    "  participant p1 as alice\n"
    "  participant p2 as bob\n"
    "  p1->>p2: request 7, 40 B (+0 µs)\n"
    "  Note over p2: took it (+2 ms)\n"
    "  p2->>p1: reply 9, 40 B (+5 ms)\n";

TEST_F(SequenceDiagramTest, WhatWentOnBetweenTwoIsDrawnWithoutOthers) {
  exchange();
  EXPECT_EQ(sequence_diagram(steps_between(records_, "bob", "alice")), kExchange);
}

TEST_F(SequenceDiagramTest, BetweenACallerAndAServiceAreItsWorkersReplies) {
  add(TapEvent::kReceived, 0, "alice", "@up", Kind::kCall, 7);
  add(TapEvent::kReceived, 0, "carol", "@up", Kind::kCall, 8);
  add(TapEvent::kAssigned, 1, "alice", "srv", Kind::kCall, 7).code = 1;
  add(TapEvent::kReceived, 2, "srv", "alice", Kind::kSend, 8);
  add(TapEvent::kAnswered, 5, "alice", "srv", Kind::kCall, 7).last_id = 9;
  add(TapEvent::kReceived, 5, "srv", "alice", Kind::kReply, 9);
  add(TapEvent::kReceived, 6, "alice", "srv", Kind::kSend, 12);
  EXPECT_EQ(sequence_diagram(steps_between(records_, "alice", "@up")),
            "sequenceDiagram\n"
            "  participant p1 as alice\n"
            "  participant p2 as @up\n"
            "  participant p3 as srv\n"
            "  p1->>p2: call 7, 40 B (+0 µs)\n"
            "  p1->>p3: assigned, attempt 1 (+1 ms)\n"
            "  p3->>p1: reply 9, 40 B (+5 ms)\n");
  EXPECT_EQ(steps_between(records_, "@up", "alice").size(),
            steps_between(records_, "alice", "@up").size());
}

TEST_F(SequenceDiagramTest, AConversationIsTheEnvelopeAndItsReplies) {
  exchange();
  EXPECT_EQ(sequence_diagram(steps_of_conversation(records_, 7)), kExchange);
}

TEST_F(SequenceDiagramTest, AFailureIsACrossWithItsOutcome) {
  add(TapEvent::kFailed, 0, "alice", "bob", Kind::kSend, 7).code =
      static_cast<std::uint16_t>(Outcome::kNoPeer);
  EXPECT_EQ(sequence_diagram(steps_between(records_, "alice", "bob")),
            "sequenceDiagram\n"
            "  participant p1 as alice\n"
            "  participant p2 as bob\n"
            "  p1-xp2: send 7, 40 B failed, no-peer (+0 µs)\n");
}

TEST_F(SequenceDiagramTest, ALongOneSaysHowManyStepsItLeavesOut) {
  for (std::uint64_t id = 1; id <= kMostSteps + 3; ++id) {
    add(TapEvent::kReceived, id, "alice", "bob", Kind::kSend, id);
  }
  const std::string text = sequence_diagram(steps_between(records_, "alice", "bob"));
  EXPECT_NE(text.find("Note over p1: 3 steps more"), std::string::npos) << text;
}

}  // namespace
}  // namespace zpost::inspect
