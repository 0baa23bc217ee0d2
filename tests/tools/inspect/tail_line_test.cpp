#include "tools/inspect/tail_line.h"

#include <gtest/gtest.h>

#include "tools/inspect/tail_filter.h"
#include "zpost/protocol/envelope.h"

namespace zpost::inspect {
namespace {

TapEntry run_of(TapEvent event, std::uint32_t count) {
  TapEntry entry;
  entry.record.event = event;
  entry.record.sequence = 9;
  entry.record.first_id = 100;
  entry.record.last_id = 100 + count - 1;
  entry.record.count = count;
  entry.record.bytes = count * 30;
  entry.record.kind = static_cast<std::uint8_t>(Kind::kSend);
  entry.from = "alice";
  entry.to = "bob";
  return entry;
}

std::vector<TailLine> lines_of(const TapEntry& entry) {
  std::vector<TailLine> lines;
  append_lines(entry, lines);
  return lines;
}

void append(ByteBuffer& frame, std::uint64_t id) {
  EnvelopeFields fields;
  fields.to = "bob";
  fields.from = "alice";
  fields.id = id;
  fields.body = as_bytes("hello");
  append_envelope(frame, fields);
}

TEST(TailLineTest, ARunWithoutBytesIsOneLine) {
  const auto lines = lines_of(run_of(TapEvent::kReceived, 50));
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].count, 50u);
  EXPECT_EQ(lines[0].first_id, 100u);
  EXPECT_FALSE(lines[0].envelope);
}

TEST(TailLineTest, ShownEnvelopesGetLinesAndTheRestOfTheRunOneMore) {
  ByteBuffer frame;
  append(frame, 100);
  append(frame, 101);
  TapEntry entry = run_of(TapEvent::kReceived, 50);
  entry.shown = frame;

  const auto lines = lines_of(entry);

  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[1].first_id, 101u);
  EXPECT_EQ(lines[1].count, 1u);
  ASSERT_TRUE(lines[1].envelope);
  EXPECT_EQ(as_text(lines[1].envelope->body), "hello");
  EXPECT_EQ(lines[2].first_id, 102u);
  EXPECT_EQ(lines[2].last_id, 149u);
  EXPECT_EQ(lines[2].count, 48u);
}

TEST(TailLineTest, ARunThatIsShownWholeLeavesNoRest) {
  ByteBuffer frame;
  append(frame, 100);
  TapEntry entry = run_of(TapEvent::kReceived, 1);
  entry.shown = frame;
  EXPECT_EQ(lines_of(entry).size(), 1u);
}

TEST(TailLineTest, WhatWasMissedStandsBeforeTheRecord) {
  TapEntry entry = run_of(TapEvent::kForwarded, 1);
  entry.missed = 1234;
  const auto lines = lines_of(entry);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].event, TapEvent::kMissed);
  EXPECT_EQ(lines[0].missed, 1234u);
  entry.record.event = TapEvent::kMissed;
  EXPECT_EQ(lines_of(entry).size(), 1u);
}

TEST(TailLineTest, ASessionsEndSaysWhy) {
  TapEntry entry;
  entry.record.event = TapEvent::kSession;
  entry.record.code = static_cast<std::uint16_t>(SessionChange::kOver);
  entry.record.first_id = static_cast<std::uint64_t>(Outcome::kSilent);
  const auto lines = lines_of(entry);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].change, SessionChange::kOver);
  EXPECT_EQ(lines[0].outcome, Outcome::kSilent);
  EXPECT_EQ(lines[0].first_id, 0u);
}

TEST(TailLineTest, EventsHaveNames) {
  EXPECT_EQ(event_name(TapEvent::kHeld), "held");
  EXPECT_EQ(event_from_name("failed"), TapEvent::kFailed);
  EXPECT_FALSE(event_from_name("dance"));
  EXPECT_EQ(event_name(static_cast<TapEvent>(99)), "unknown");
}

TEST(TailFilterTest, OnlyTheWantedEventsPassButMissesAlways) {
  TailFilter filter({TapEvent::kFailed}, false);
  TailLine received{.event = TapEvent::kReceived};
  TailLine failed{.event = TapEvent::kFailed};
  TailLine missed{.event = TapEvent::kMissed};
  EXPECT_FALSE(filter.wants(received));
  EXPECT_TRUE(filter.wants(failed));
  EXPECT_TRUE(filter.wants(missed));
}

TEST(TailFilterTest, ByKindOnlyDeliveriesOfReceivedEnvelopesPass) {
  TailFilter filter({}, true);
  TailLine received{.event = TapEvent::kReceived, .kind_number = 17, .first_id = 5, .last_id = 5};
  TailLine ours{.event = TapEvent::kDelivered, .first_id = 5, .last_id = 5};
  TailLine other{.event = TapEvent::kDelivered, .first_id = 6, .last_id = 6};
  EXPECT_TRUE(filter.wants(received));
  EXPECT_TRUE(filter.wants(ours));
  EXPECT_EQ(ours.kind_number, 17);
  EXPECT_FALSE(filter.wants(other));
}

TEST(TailLineTest, WhatTheCodeMeansDependsOnTheEvent) {
  TapEntry held = run_of(TapEvent::kHeld, 1);
  held.record.code = static_cast<std::uint16_t>(HeldWhy::kAway);
  EXPECT_EQ(lines_of(held)[0].held, HeldWhy::kAway);
  EXPECT_EQ(lines_of(held)[0].outcome, Outcome::kNone);

  TapEntry published = run_of(TapEvent::kForwarded, 1);
  published.record.kind = static_cast<std::uint8_t>(Kind::kPublish);
  published.record.code = 3;
  EXPECT_EQ(lines_of(published)[0].queues, 3u);
  EXPECT_EQ(lines_of(published)[0].outcome, Outcome::kNone);

  TapEntry again = run_of(TapEvent::kForwarded, 1);
  again.record.code = 1;
  EXPECT_TRUE(lines_of(again)[0].again);
  EXPECT_EQ(lines_of(again)[0].queues, 0u);

  TapEntry stalled = run_of(TapEvent::kFlow, 1);
  stalled.record.code = 1;
  EXPECT_EQ(lines_of(stalled)[0].flow, FlowChange::kStalled);

  TapEntry asked = run_of(TapEvent::kAsked, 1);
  asked.record.code = 5;
  EXPECT_EQ(lines_of(asked)[0].op, AdminOp::kRecall);

  TapEntry assigned = run_of(TapEvent::kAssigned, 1);
  assigned.record.code = 2;
  EXPECT_EQ(lines_of(assigned)[0].attempt, 2u);

  TapEntry answered = run_of(TapEvent::kAnswered, 1);
  answered.record.last_id = 777;
  EXPECT_EQ(lines_of(answered)[0].reply_id, 777u);
  EXPECT_EQ(lines_of(answered)[0].last_id, 100u);
  answered.record.code = static_cast<std::uint16_t>(Outcome::kLost);
  EXPECT_EQ(lines_of(answered)[0].reply_id, 0u);
  EXPECT_EQ(lines_of(answered)[0].outcome, Outcome::kLost);
}

TEST(TailLineTest, EveryEventThatMayBeAskedForHasItsName) {
  EXPECT_EQ(event_names(),
            "received, forwarded, held, failed, delivered, session, assigned, answered, dropped, "
            "flow, asked");
}

}  // namespace
}  // namespace zpost::inspect
