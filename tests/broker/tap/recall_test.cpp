// Looking back: what is found, what was overwritten meanwhile, and the end of it.
#include "broker/tap/recall.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "zpost/protocol/kinds.h"

namespace zpost::tap {
namespace {

struct Told {
  std::vector<TapRecord> records;  // Without names and the end.
  std::vector<std::string> from;
  std::uint64_t missed = 0;
  std::uint64_t told_in_end = 0;
  bool ended = false;
};

class RecallTest : public testing::Test {
 protected:
  static constexpr std::uint64_t kStart = 1'700'000'000'000'000'000;

  /// One envelope each, a microsecond apart, with ids that count up.
  static void fill(Recorder& recorder, std::uint64_t first, std::uint64_t count,
                   const NameUse& from = {1, 1, "alice"}) {
    for (std::uint64_t i = first; i < first + count; ++i) {
      TapRecord record;
      record.time_ns = kStart + i * 1000;
      record.first_id = record.last_id = i;
      record.count = 1;
      record.kind = static_cast<std::uint8_t>(Kind::kSend);
      recorder.add(record, from, {9, 1, "bob"});
    }
  }

  void take_body(Bytes body, Told& told) {
    while (!body.empty()) {
      TapRecord record;
      std::memcpy(&record, body.data(), sizeof record);
      const Bytes extra = body.subspan(sizeof record, record.extra);
      body = body.subspan(sizeof record + (record.extra + 7) / 8 * 8);
      told.missed += record.missed;
      if (record.event == TapEvent::kName) {
        names_.resize(std::max<std::size_t>(names_.size(), record.from + 1));
        names_[record.from] = as_text(extra);
      } else if (record.event == TapEvent::kEnd) {
        told.ended = true;
        told.told_in_end = record.last_id;
      } else {
        told.records.push_back(record);
        told.from.push_back(record.from == 0 ? "" : names_.at(record.from));
      }
    }
  }

  /// Takes all that the recall tells, `at_most` bodies of it.
  Told take(Recall& recall, const Recorder& recorder, int at_most = 1'000'000) {
    Told told;
    for (int i = 0; i < at_most; ++i) {
      while (recall.next_body().empty() && !recall.over()) EXPECT_TRUE(recall.go_on(recorder));
      if (recall.next_body().empty()) break;
      take_body(recall.next_body(), told);
      recall.pop_body();
    }
    return told;
  }

  static core::RecallWish about(std::uint64_t id, std::string from = "") {
    core::RecallWish wish;
    wish.id = id;
    wish.filter.from = std::move(from);
    return wish;
  }

  std::vector<std::string> names_;  // As told to the inspector, by number.
};

TEST_F(RecallTest, OneEnvelopeIsFoundAmongMany) {
  Recorder recorder(64 << 20);
  fill(recorder, 1, 300'000);
  Recall recall(about(123'456, "alice"), recorder);
  const Told told = take(recall, recorder);
  ASSERT_EQ(told.records.size(), 1U);
  EXPECT_EQ(told.records[0].first_id, 123'456U);
  EXPECT_EQ(told.from[0], "alice");
  EXPECT_TRUE(told.ended);
  EXPECT_EQ(told.told_in_end, 1U);
  EXPECT_EQ(told.missed, 0U);
}

TEST_F(RecallTest, AnotherSendersEnvelopeOfTheSameIdIsNotIt) {
  Recorder recorder(64 << 20);
  fill(recorder, 1, 10);
  fill(recorder, 1, 10, {2, 1, "carol"});
  Recall recall(about(5, "carol"), recorder);
  const Told told = take(recall, recorder);
  ASSERT_EQ(told.records.size(), 1U);
  EXPECT_EQ(told.from[0], "carol");
}

TEST_F(RecallTest, AllOfATimeComesInOrder) {
  Recorder recorder(64 << 20);
  fill(recorder, 1, 200'000);
  core::RecallWish wish;
  wish.since_ns = kStart + 50'000 * 1000;
  wish.until_ns = kStart + 150'000 * 1000;
  Recall recall(wish, recorder);
  const Told told = take(recall, recorder);
  ASSERT_EQ(told.records.size(), 100'001U);
  for (std::uint64_t i = 0; i < told.records.size(); ++i) {
    ASSERT_EQ(told.records[i].first_id, 50'000 + i);
  }
}

TEST_F(RecallTest, WhatIsOverwrittenMeanwhileIsCountedExactly) {
  Recorder recorder(1 << 20);
  constexpr std::uint64_t kCount = 60'000;
  fill(recorder, 1, kCount);
  Recall recall({}, recorder);
  const std::uint64_t there = recorder.records();
  const Told first = take(recall, recorder, 1);
  EXPECT_FALSE(first.ended);
  fill(recorder, kCount + 1, 500'000);
  const Told rest = take(recall, recorder);
  EXPECT_TRUE(rest.ended);
  EXPECT_GT(rest.missed, 0U);
  EXPECT_EQ(first.records.size() + rest.records.size() + rest.missed, there);
}

TEST_F(RecallTest, WhatTheRingHadNoRoomForIsToldAsMissed) {
  Recorder recorder(64 << 20);
  fill(recorder, 1, 3);
  TapRecord gap;
  gap.event = TapEvent::kMissed;
  gap.time_ns = kStart + 3500;
  gap.missed = 42;
  recorder.add(gap, {}, {});
  fill(recorder, 4, 1);
  Recall recall({}, recorder);
  const Told told = take(recall, recorder);
  EXPECT_EQ(told.records.size(), 4U);
  EXPECT_EQ(told.missed, 42U);
  EXPECT_EQ(told.records.back().missed, 42U);
}

TEST_F(RecallTest, SessionsComeWithTheEnvelopeThatIsLookedFor) {
  Recorder recorder(64 << 20);
  TapRecord joined;
  joined.event = TapEvent::kSession;
  joined.time_ns = kStart;
  joined.code = static_cast<std::uint16_t>(SessionChange::kJoined);
  recorder.add(joined, {1, 1, "alice"}, {});
  fill(recorder, 1, 5);
  Recall recall(about(3, "alice"), recorder);
  const Told told = take(recall, recorder);
  ASSERT_EQ(told.records.size(), 2U);
  EXPECT_EQ(told.records[0].event, TapEvent::kSession);
  EXPECT_EQ(told.records[1].first_id, 3U);
}

TEST_F(RecallTest, AnEmptyRecorderHasOnlyAnEnd) {
  Recorder recorder(64 << 20);
  Recall recall({}, recorder);
  const Told told = take(recall, recorder);
  EXPECT_TRUE(told.records.empty());
  EXPECT_TRUE(told.ended);
}

TEST_F(RecallTest, TheLatestAreFoundFromTheEnd) {
  Recorder recorder(1 << 20);
  fill(recorder, 1, 30'000);
  fill(recorder, 50'000, 1, {2, 1, "carol"});
  fill(recorder, 60'000, 20'000);
  core::RecallWish wish;
  wish.latest = 3;
  wish.filter.from = "alice";
  Recall latest(wish, recorder);
  const Told told = take(latest, recorder);
  ASSERT_EQ(told.records.size(), 3U);
  EXPECT_EQ(told.records.front().first_id, 79'997U);
  EXPECT_EQ(told.missed, 0U);

  wish.latest = 1;
  wish.filter.from = "carol";
  Recall carols(wish, recorder);
  const Told found = take(carols, recorder);
  ASSERT_EQ(found.records.size(), 1U);
  EXPECT_EQ(found.records.front().first_id, 50'000U);
}

TEST_F(RecallTest, OfFewerThanTheLatestWantedAllAreTold) {
  Recorder recorder(1 << 20);
  fill(recorder, 1, 5);
  core::RecallWish wish;
  wish.latest = 100;
  Recall recall(wish, recorder);
  EXPECT_EQ(take(recall, recorder).records.size(), 5U);
  wish.filter.from = "nobody";
  Recall none(wish, recorder);
  const Told told = take(none, recorder);
  EXPECT_TRUE(told.records.empty());
  EXPECT_TRUE(told.ended);
}

}  // namespace
}  // namespace zpost::tap
