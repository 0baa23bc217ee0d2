// The flight recorder: what goes in comes out, the oldest goes first, a search passes over blocks.
#include "broker/tap/recorder.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "zpost/protocol/kinds.h"

namespace zpost::tap {
namespace {

constexpr std::size_t kPlenty = 64 << 20;

struct Seen {
  TapRecord record;
  std::string from;
  std::string to;

  friend bool operator==(const Seen& a, const Seen& b) {
    const TapRecord& x = a.record;
    const TapRecord& y = b.record;
    return a.from == b.from && a.to == b.to && x.time_ns == y.time_ns && x.first_id == y.first_id &&
           x.last_id == y.last_id && x.count == y.count && x.bytes == y.bytes &&
           x.event == y.event && x.kind == y.kind && x.code == y.code && x.missed == y.missed;
  }
};

class RecorderTest : public testing::Test {
 protected:
  static NameUse use(std::uint32_t number) {
    static const std::vector<std::string> names = [] {
      std::vector<std::string> made{""};
      for (int i = 1; i < 100; ++i) made.push_back("peer-" + std::to_string(i));
      return made;
    }();
    return number == 0 ? NameUse{} : NameUse{number, 1, names[number]};
  }

  static TapRecord run(TapEvent event, std::uint64_t time, std::uint64_t id,
                       std::uint32_t count = 1) {
    TapRecord record;
    record.event = event;
    record.time_ns = time;
    record.first_id = id;
    record.last_id = id + count - 1;
    record.count = count;
    record.bytes = 90 * count;
    record.from = 1;
    record.to = 2;
    record.kind = static_cast<std::uint8_t>(Kind::kSend);
    return record;
  }

  static void add(Recorder& recorder, const TapRecord& record) {
    recorder.add(record, use(record.from), use(record.to));
  }

  static std::vector<Seen> all(Recorder& recorder) {
    recorder.seal();
    std::vector<Seen> seen;
    for (std::uint64_t serial = recorder.first_block(); serial < recorder.end_block(); ++serial) {
      recorder.read(serial, [&](const Recorder::Found& found) {
        seen.push_back({found.record, std::string(found.from.name), std::string(found.to.name)});
      });
    }
    return seen;
  }
};

TEST_F(RecorderTest, TheBlockBeingFilledCountsAmongTheBytes) {
  Recorder recorder(kPlenty);
  EXPECT_EQ(recorder.bytes(), 0U);
  add(recorder, run(TapEvent::kReceived, 1000, 7));
  const std::size_t one = recorder.bytes();
  EXPECT_GT(one, std::string("peer-1peer-2").size());
  add(recorder, run(TapEvent::kDelivered, 1001, 7));
  EXPECT_GT(recorder.bytes(), one);
  const std::size_t both = recorder.bytes();
  recorder.seal();
  // What was set aside for more is given back.
  EXPECT_GE(recorder.bytes(), both);
  EXPECT_LT(recorder.bytes(), Recorder::kBlockBytes);
}

TEST_F(RecorderTest, WhatWasReceivedAndForwardedAtOnceIsTwoRecordsAgain) {
  Recorder recorder(kPlenty);
  add(recorder, run(TapEvent::kReceived, 1000, 7, 3));
  add(recorder, run(TapEvent::kForwarded, 1000, 7, 3));
  const std::vector<Seen> seen = all(recorder);
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].record.event, TapEvent::kReceived);
  EXPECT_EQ(seen[1].record.event, TapEvent::kForwarded);
  EXPECT_EQ(seen[1].record.last_id, 9U);
  EXPECT_EQ(seen[1].to, "peer-2");
}

TEST_F(RecorderTest, FramesOfATurnFromOneToAnotherAreOneRun) {
  Recorder recorder(kPlenty);
  add(recorder, run(TapEvent::kReceived, 1000, 7, 3));
  add(recorder, run(TapEvent::kReceived, 1000, 10, 2));
  add(recorder, run(TapEvent::kReceived, 1000, 12, 1));
  add(recorder, run(TapEvent::kForwarded, 1000, 7, 6));
  add(recorder, run(TapEvent::kReceived, 2000, 21, 1));
  EXPECT_EQ(recorder.records(), 3U);
  const std::vector<Seen> seen = all(recorder);
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[0].record.first_id, 7U);
  EXPECT_EQ(seen[0].record.last_id, 12U);
  EXPECT_EQ(seen[0].record.count, 6U);
  EXPECT_EQ(seen[0].record.bytes, 6 * run(TapEvent::kReceived, 1000, 7).bytes);
  EXPECT_EQ(seen[1].record.event, TapEvent::kForwarded);
  EXPECT_EQ(seen[1].record.count, 6U);
  EXPECT_EQ(seen[2].record.first_id, 21U);
}

TEST_F(RecorderTest, AnotherSenderOrTimeBeginsARun) {
  Recorder recorder(kPlenty);
  add(recorder, run(TapEvent::kReceived, 1000, 7));
  TapRecord other = run(TapEvent::kReceived, 1000, 8);
  other.from += 1;
  add(recorder, other);
  add(recorder, run(TapEvent::kReceived, 1000, 9));
  add(recorder, run(TapEvent::kReceived, 1001, 10));
  add(recorder, run(TapEvent::kReceived, 1001, 11));
  add(recorder, run(TapEvent::kReceived, 1001, 20));  // Other steps.
  TapRecord request = run(TapEvent::kReceived, 1001, 29);
  request.kind = static_cast<std::uint8_t>(Kind::kRequest);
  add(recorder, request);
  EXPECT_EQ(all(recorder).size(), 6U);
}

TEST_F(RecorderTest, AnythingComesBackAsItWas) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    std::mt19937_64 random(seed);
    const auto pick = [&](std::uint64_t count) { return random() % count; };
    Recorder recorder(kPlenty);
    std::vector<Seen> expected;
    std::uint64_t time = 1'700'000'000'000'000'000;
    for (int i = 0; i < 3000; ++i) {
      time += pick(10) == 0 ? static_cast<std::uint64_t>(-static_cast<std::int64_t>(pick(1000)))
                            : pick(2'000'000);
      TapRecord record;
      constexpr TapEvent kEvents[] = {TapEvent::kReceived, TapEvent::kForwarded, TapEvent::kHeld,
                                      TapEvent::kFailed,   TapEvent::kDelivered, TapEvent::kSession,
                                      TapEvent::kAssigned, TapEvent::kAnswered};
      record.event = kEvents[pick(8)];
      record.time_ns = time;
      record.from = static_cast<std::uint32_t>(pick(100));
      record.to = static_cast<std::uint32_t>(pick(100));
      record.first_id = pick(3) == 0 ? random() : pick(1000);
      if (record.event != TapEvent::kSession)
        record.last_id = record.first_id + pick(2) * pick(5000);
      record.count = static_cast<std::uint32_t>(pick(4) == 0 ? pick(100'000) : 1);
      record.bytes = static_cast<std::uint32_t>(pick(1 << 20));
      record.kind = static_cast<std::uint8_t>(pick(3) == 0 ? 0 : 16 + pick(5));
      record.code = static_cast<std::uint16_t>(pick(3) == 0 ? pick(65'536) : 0);
      add(recorder, record);
      expected.push_back(
          {record, std::string(use(record.from).name), std::string(use(record.to).name)});
    }
    ASSERT_EQ(all(recorder), expected) << "seed " << seed;
  }
}

TEST_F(RecorderTest, AnEnvelopeTakesFewBytes) {
  Recorder recorder(kPlenty);
  constexpr std::uint64_t kCount = 100'000;
  for (std::uint64_t i = 0; i < kCount; ++i) {
    const std::uint64_t time = 1'700'000'000'000'000'000 + i * 100'000;
    add(recorder, run(TapEvent::kReceived, time, 1000 + i));
    add(recorder, run(TapEvent::kForwarded, time, 1000 + i));
    add(recorder, run(TapEvent::kDelivered, time + 50'000, 1000 + i));
  }
  recorder.seal();
  EXPECT_LT(recorder.bytes() / kCount, 40U) << "256 MiB are 10 minutes of 10,000 a second";
}

TEST_F(RecorderTest, CallsThatAreReceivedAssignedAndAnsweredInTurnTakeFewBytes) {
  Recorder recorder(kPlenty);
  constexpr std::uint64_t kCount = 64'000;
  std::vector<Seen> expected;
  const auto note = [&](TapEvent event, std::uint64_t time, std::uint64_t id, std::uint64_t last) {
    TapRecord record = run(event, time, id);
    record.last_id = last;
    record.kind = static_cast<std::uint8_t>(Kind::kCall);
    add(recorder, record);
    expected.push_back({record, "peer-1", "peer-2"});
  };
  for (std::uint64_t turn = 0; turn < kCount / 64; ++turn) {
    const std::uint64_t first = turn * 64;
    for (std::uint64_t id = first; id < first + 64; ++id) {
      note(TapEvent::kReceived, 1000 * turn, id, id);
      note(TapEvent::kAssigned, 1000 * turn, id, id);
    }
    for (std::uint64_t id = first; id < first + 64; ++id)
      note(TapEvent::kAnswered, 1000 * turn + 500, id, 7'000'000 + id);
  }
  recorder.seal();
  EXPECT_LT(recorder.bytes() / kCount, 4U) << "256 MiB are 30 s of two million a second";
  EXPECT_EQ(all(recorder), expected);
}

TEST_F(RecorderTest, WhatSendersDoByTurnsMayGoOnAsARunAndBeForwardedAtOnce) {
  Recorder recorder(kPlenty);
  const auto receive = [&](std::uint32_t from, std::uint64_t id) {
    TapRecord record = run(TapEvent::kReceived, 1000, id);
    record.from = from;
    add(recorder, record);
  };
  const auto forward = [&](std::uint32_t from, std::uint64_t id, std::uint32_t count) {
    TapRecord record = run(TapEvent::kForwarded, 1000, id, count);
    record.from = from;
    add(recorder, record);
  };
  receive(1, 10);
  receive(3, 50);
  receive(1, 11);
  receive(1, 12);
  forward(1, 11, 2);
  receive(3, 51);
  forward(3, 51, 1);
  receive(1, 13);
  receive(3, 52);
  std::vector<std::string> told;
  for (const Seen& each : all(recorder)) {
    told.push_back(each.from + (each.record.event == TapEvent::kForwarded ? " forwards " : " ") +
                   std::to_string(each.record.first_id) + "+" + std::to_string(each.record.count));
  }
  const std::vector<std::string> expected{
      "peer-1 10+1", "peer-3 50+1",          "peer-1 11+2", "peer-1 forwards 11+2",
      "peer-3 51+1", "peer-3 forwards 51+1", "peer-1 13+1", "peer-3 52+1"};
  EXPECT_EQ(told, expected);
}

TEST_F(RecorderTest, WhatSeveralSendersDoByTurnsComesBackAsItWas) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    std::mt19937_64 random(seed);
    const auto pick = [&](std::uint64_t count) { return random() % count; };
    Recorder recorder(kPlenty);
    std::vector<Seen> expected;
    std::vector<std::uint64_t> ids(5, 1);
    std::uint64_t time = 1000;
    for (int i = 0; i < 3000; ++i) {
      if (pick(20) == 0) ++time;
      constexpr TapEvent kEvents[] = {TapEvent::kAssigned, TapEvent::kAnswered,
                                      TapEvent::kForwarded, TapEvent::kSession};
      TapRecord record = run(kEvents[pick(30) == 0 ? 3 : pick(3)], time, 0);
      record.from = static_cast<std::uint32_t>(pick(5));
      record.to = static_cast<std::uint32_t>(7 + (pick(20) == 0 ? 1 : 0));
      // Mostly the next of the sender's, or what was told of before once more.
      record.first_id = ids[record.from] += pick(10) == 0 ? pick(3) : pick(2);
      if (record.event != TapEvent::kSession)
        record.last_id = record.first_id + (record.event == TapEvent::kAnswered ? 500 : 0);
      else
        record.last_id = 0;
      if (pick(20) == 0) record.bytes = static_cast<std::uint32_t>(pick(1000));
      if (pick(20) == 0) record.code = static_cast<std::uint16_t>(pick(3));
      add(recorder, record);
      expected.push_back(
          {record, std::string(use(record.from).name), std::string(use(record.to).name)});
    }
    ASSERT_EQ(all(recorder), expected) << "seed " << seed;
  }
}

TEST_F(RecorderTest, TheOldestGoWhenTheBoundIsReached) {
  Recorder recorder(1 << 20);
  for (std::uint64_t i = 0; i < 500'000; ++i)
    add(recorder, run(TapEvent::kReceived, 1000 + i, i * 7));
  recorder.seal();
  EXPECT_LE(recorder.bytes(), 1U << 20);
  const std::vector<Seen> seen = all(recorder);
  EXPECT_EQ(seen.size(), recorder.records());
  EXPECT_EQ(seen.back().record.first_id, 499'999U * 7);
  EXPECT_EQ(seen.front().record.time_ns, recorder.oldest_ns());
  EXPECT_GT(recorder.first_block(), 1U);
}

TEST_F(RecorderTest, ASearchPassesOverBlocksThatCannotHaveTheId) {
  Recorder recorder(kPlenty);
  for (std::uint64_t i = 0; i < 200'000; ++i) add(recorder, run(TapEvent::kReceived, 1000 + i, i));
  recorder.seal();
  int possible = 0;
  for (std::uint64_t serial = recorder.first_block(); serial < recorder.end_block(); ++serial) {
    if (recorder.may_have(serial, "peer-1", 100'000)) ++possible;
    EXPECT_FALSE(recorder.may_have(serial, "peer-3", 100'000));
  }
  EXPECT_EQ(possible, 1);
  EXPECT_GT(recorder.end_block() - recorder.first_block(), 10U);
}

TEST_F(RecorderTest, ARecorderOfNothingKeepsNothing) {
  Recorder recorder(0);
  add(recorder, run(TapEvent::kReceived, 1000, 7));
  EXPECT_TRUE(all(recorder).empty());
}

}  // namespace
}  // namespace zpost::tap
