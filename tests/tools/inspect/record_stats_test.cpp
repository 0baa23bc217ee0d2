#include "tools/inspect/record_stats.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/tools/inspect/times.h"
#include "zpost/protocol/kinds.h"
#include "zpost/protocol/outcomes.h"

namespace zpost::inspect {
namespace {

TapEntry entry_of(TapEvent event, std::uint32_t count, std::uint64_t second) {
  TapEntry entry;
  entry.record.event = event;
  entry.record.kind = static_cast<std::uint8_t>(Kind::kSend);
  entry.record.count = count;
  entry.record.bytes = count * 100;
  entry.record.time_ns = kStart + second * kSecond;
  entry.from = "alice";
  entry.to = "bob";
  return entry;
}

TEST(RecordStatsTest, RunsAreCountedByTheirEnvelopes) {
  RecordStats stats;
  stats.add(entry_of(TapEvent::kReceived, 50, 0));
  stats.add(entry_of(TapEvent::kDelivered, 40, 1));
  TapEntry failed = entry_of(TapEvent::kFailed, 10, 2);
  failed.record.code = static_cast<std::uint16_t>(Outcome::kLost);
  stats.add(failed);
  const auto json = nlohmann::json::parse(stats.json());
  EXPECT_EQ(json["received"], 50);
  EXPECT_EQ(json["bytes"], 5000);
  EXPECT_EQ(json["per_second"], 25.0);
  EXPECT_EQ(json["outcomes"], (nlohmann::json{{"delivered", 40}, {"lost", 10}}));
  EXPECT_EQ(json["pairs"][0]["failed"], 10);
  EXPECT_EQ(stats.text(),
            "from      2026-01-01T00:00:00.000000000Z\n"
            "to        2026-01-01T00:00:02.000000000Z\n"
            "span      2.000 s\n"
            "records   3, none missed\n"
            "received  50 envelopes, 4.9 KiB, 100 B each on average, 25.0 a second\n"
            "kinds     send 50\n"
            "events    delivered 40, failed 10, received 50\n"
            "outcomes  delivered 40, lost 10\n"
            "who\n"
            "  alice → bob  50 received, 4.9 KiB, 40 delivered, 10 failed\n");
}

TEST(RecordStatsTest, CommentsOfTheFilesAreShown) {
  RecordStats stats;
  stats.set_comments({"before the update", "two\nlines"});
  EXPECT_EQ(stats.text(), "comment   before the update\ncomment   two\\nlines\nno records\n");
  EXPECT_EQ(nlohmann::json::parse(stats.json())["comments"],
            (nlohmann::json{"before the update", "two\nlines"}));
}

TEST(RecordStatsTest, WhatWasMissedIsSummed) {
  RecordStats stats;
  TapEntry late = entry_of(TapEvent::kReceived, 1, 0);
  late.missed = 7;
  stats.add(late);
  TapEntry missed = entry_of(TapEvent::kMissed, 0, 1);
  missed.missed = 3;
  stats.add(missed);
  EXPECT_EQ(nlohmann::json::parse(stats.json())["missed"], 10);
}

TEST(RecordStatsTest, EventsOfLaterBrokersAreCountedAsUnknown) {
  RecordStats stats;
  stats.add(entry_of(static_cast<TapEvent>(200), 4, 0));
  EXPECT_EQ(nlohmann::json::parse(stats.json())["events"]["unknown"], 4);
}

TEST(RecordStatsTest, PairsBeyondTheBoundAreCountedTogether) {
  RecordStats stats;
  for (std::size_t i = 0; i < RecordStats::kMaxPairs + 5; ++i) {
    TapEntry entry = entry_of(TapEvent::kReceived, 1, 0);
    entry.to = "peer-" + std::to_string(i);
    stats.add(entry);
  }
  const auto json = nlohmann::json::parse(stats.json());
  EXPECT_EQ(json["pairs"].size(), RecordStats::kMaxPairs + 1);
  EXPECT_EQ(json["pairs"][0]["from"], "(others)");
  EXPECT_EQ(json["pairs"][0]["received"], 5);
}

TEST(RecordStatsTest, AnEmptyCaptureSaysSo) {
  EXPECT_EQ(RecordStats().text(), "no records\n");
}

}  // namespace
}  // namespace zpost::inspect
