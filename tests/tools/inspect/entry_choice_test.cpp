// Whole records chosen by the filter language.
#include "tools/inspect/entry_choice.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/tools/inspect/times.h"
#include "zpost/protocol/kinds.h"

namespace zpost::inspect {
namespace {

TapEntry entry(TapEvent event, std::uint64_t ms, std::uint16_t code = 0) {
  TapEntry made;
  made.record.event = event;
  made.record.time_ns = kStart + ms * kMs;
  made.record.first_id = made.record.last_id = 7;
  made.record.count = 1;
  made.record.bytes = 40;
  made.record.kind = static_cast<std::uint8_t>(Kind::kSend);
  made.record.code = code;
  made.from = "alice";
  made.to = "bob";
  return made;
}

EntryChoice choice(const std::string& text) {
  return EntryChoice(TailFilter({}, false, *filter::Filter::compile(text)));
}

TEST(EntryChoiceTest, ARecordIsWantedWhenTheFilterHolds) {
  EntryChoice lost = choice("outcome = lost");
  EXPECT_FALSE(lost.wants(entry(TapEvent::kReceived, 0)));
  EXPECT_FALSE(
      lost.wants(entry(TapEvent::kFailed, 1, static_cast<std::uint16_t>(Outcome::kNoPeer))));
  EXPECT_TRUE(lost.wants(entry(TapEvent::kFailed, 1, static_cast<std::uint16_t>(Outcome::kLost))));
}

TEST(EntryChoiceTest, LatencyIsKnownFromWhatWasReceivedBefore) {
  EntryChoice slow = choice("event = delivered and latency > 20ms");
  EXPECT_FALSE(slow.wants(entry(TapEvent::kReceived, 0)));
  EXPECT_TRUE(slow.wants(entry(TapEvent::kDelivered, 21)));
  EntryChoice fast = choice("event = delivered and latency > 20ms");
  EXPECT_FALSE(fast.wants(entry(TapEvent::kReceived, 0)));
  EXPECT_FALSE(fast.wants(entry(TapEvent::kDelivered, 20)));
}

TEST(EntryChoiceTest, WhatWasMissedIsNoReasonToWantARecord) {
  EntryChoice any = choice("outcome = lost");
  TapEntry after_a_gap = entry(TapEvent::kReceived, 0);
  after_a_gap.missed = 3;
  EXPECT_FALSE(any.wants(after_a_gap));
}

}  // namespace
}  // namespace zpost::inspect
