#include "broker/tap/listener.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "protocol/filter/shown_envelope.h"
#include "zpost/protocol/envelope.h"

namespace zpost::tap {
namespace {

struct Shown {
  TapRecord record;
  std::string extra;
};

std::vector<Shown> unpack(Bytes body) {
  std::vector<Shown> shown;
  while (!body.empty()) {
    Shown one;
    std::memcpy(&one.record, body.data(), sizeof one.record);
    body = body.subspan(sizeof one.record);
    one.extra = as_text(body.first(one.record.extra));
    body = body.subspan((one.record.extra + 7) / 8 * 8);
    shown.push_back(one);
  }
  return shown;
}

class ListenerTest : public testing::Test {
 protected:
  static constexpr NameUse kAlice{1, 1, "alice"};
  static constexpr NameUse kBob{2, 1, "bob"};

  void offer(std::uint64_t id, Bytes shown = {}) {
    TapRecord record;
    record.first_id = record.last_id = id;
    record.from = kAlice.number;
    record.to = kBob.number;
    listener_.offer(record, kAlice, kBob, shown);
  }

  std::vector<Shown> take() {
    std::vector<Shown> all;
    for (Bytes body = listener_.next_body(); !body.empty(); body = listener_.next_body()) {
      EXPECT_LE(body.size(), Listener::kMaxBody);
      for (const Shown& one : unpack(body)) all.push_back(one);
      listener_.pop_body();
    }
    return all;
  }

  Listener listener_{core::TapFilter{.from = {}, .to = {}, .kinds = {}, .snap = 5}};
};

TEST_F(ListenerTest, NamesComeBeforeTheirFirstUseAndOnce) {
  offer(7);
  offer(8);
  const auto shown = take();
  ASSERT_EQ(shown.size(), 4u);
  EXPECT_EQ(shown[0].record.event, TapEvent::kName);
  EXPECT_EQ(shown[0].record.from, 1u);
  EXPECT_EQ(shown[0].extra, "alice");
  EXPECT_EQ(shown[1].extra, "bob");
  EXPECT_EQ(shown[2].record.first_id, 7u);
  EXPECT_EQ(shown[3].record.first_id, 8u);
}

TEST_F(ListenerTest, ANumberWithANewNameIsToldAgain) {
  offer(7);
  take();
  listener_.offer(TapRecord{}, {1, 2, "carol"}, {}, {});
  const auto shown = take();
  ASSERT_EQ(shown.size(), 2u);
  EXPECT_EQ(shown[0].extra, "carol");
}

TEST_F(ListenerTest, SnapCutsWhatIsShown) {
  offer(7, as_bytes("123456789"));
  EXPECT_EQ(take().back().extra, "12345");
}

TEST_F(ListenerTest, SequencesCountOn) {
  offer(7);
  offer(8);
  const auto shown = take();
  for (std::size_t i = 0; i < shown.size(); ++i) EXPECT_EQ(shown[i].record.sequence, i + 1);
}

TEST_F(ListenerTest, ABodyHoldsAsManyRecordsAsFitWheneverTheyCame) {
  constexpr std::size_t kFit = Listener::kMaxBody / sizeof(TapRecord);
  offer(7);
  take();  // Names are out of the way.
  for (std::uint64_t id = 1; id <= 2 * kFit; ++id) {
    offer(id);
    EXPECT_EQ(listener_.next_body().size(), std::min<std::size_t>(id, kFit) * sizeof(TapRecord));
  }
  listener_.pop_body();
  EXPECT_EQ(unpack(listener_.next_body()).front().record.first_id, kFit + 1);
  EXPECT_EQ(listener_.next_body().size(), Listener::kMaxBody);
  listener_.pop_body();
  EXPECT_TRUE(listener_.next_body().empty());
  offer(99);
  EXPECT_EQ(unpack(listener_.next_body()).size(), 1u);
}

TEST_F(ListenerTest, WhatDoesNotFitIsMissedAndCounted) {
  constexpr std::uint64_t kOffers = 10'000;
  for (std::uint64_t id = 1; id <= kOffers; ++id) offer(id);
  const auto before = take();
  EXPECT_LT(before.size(), kOffers);
  offer(99);
  const auto after = take();
  ASSERT_EQ(after.size(), 1u);
  const TapRecord& record = after.front().record;
  EXPECT_EQ(record.missed, kOffers + 2 - before.size());  // Two were names.
  EXPECT_EQ(record.sequence, before.back().record.sequence + record.missed + 1);
}

TEST_F(ListenerTest, WhenNothingFollowsMissedRecordsAreToldByThemselves) {
  for (std::uint64_t id = 1; id <= 10'000; ++id) offer(id);
  take();
  listener_.tell_missed(1);
  const auto shown = take();
  ASSERT_EQ(shown.size(), 1u);
  EXPECT_EQ(shown.front().record.event, TapEvent::kMissed);
  EXPECT_GT(shown.front().record.missed, 0u);
  listener_.tell_missed(2);
  EXPECT_TRUE(take().empty());
}

class FilteredListenerTest : public testing::Test {
 protected:
  static constexpr NameUse kAlice{1, 1, "alice"};
  static constexpr NameUse kBob{2, 1, "bob"};

  static Listener listener(const std::string& text) {
    return Listener({.from = {}, .to = {}, .kinds = {}, .snap = 256, .filter = text},
                    *filter::Filter::compile(text));
  }

  static TapRecord record(TapEvent event, std::uint64_t first_id, std::uint32_t count) {
    TapRecord record;
    record.event = event;
    record.time_ns = 1'000;
    record.kind = 16;
    record.first_id = first_id;
    record.last_id = first_id + count - 1;
    record.count = count;
    record.bytes = 40 * count;
    record.from = kAlice.number;
    record.to = kBob.number;
    return record;
  }

  static ByteBuffer envelopes(const std::vector<std::string>& bodies) {
    ByteBuffer bytes;
    std::uint64_t id = 7;
    for (const std::string& body : bodies) {
      append_envelope(bytes, {.to = "bob", .from = "alice", .id = id++, .body = as_bytes(body)});
    }
    return bytes;
  }

  static std::vector<TapRecord> take(Listener& listener) {
    listener.tell_missed(1);
    std::vector<TapRecord> records;
    for (; !listener.next_body().empty(); listener.pop_body()) {
      for (const Shown& one : unpack(listener.next_body())) {
        if (one.record.event != TapEvent::kName) records.push_back(one.record);
      }
    }
    return records;
  }
};

class EachListenerTest : public FilteredListenerTest {
 protected:
  static Listener each(std::uint32_t snap) {
    return Listener({.from = {}, .to = {}, .kinds = {}, .snap = snap, .each = true});
  }

  /// The bodies shown, each with as much of it as there is, and a bar at the end of each record.
  static std::string bodies(Listener& listener) {
    std::string text;
    for (; !listener.next_body().empty(); listener.pop_body()) {
      for (const Shown& one : unpack(listener.next_body())) {
        if (one.record.event == TapEvent::kName) continue;
        ShownReader reader(as_bytes(one.extra));
        for (ShownEnvelope envelope; reader.next(envelope);) {
          text += std::to_string(envelope.id) + ":" + std::string(as_text(envelope.body)) + " ";
        }
        text += "| ";
      }
    }
    return text;
  }

  static TapRecord run(std::uint32_t count, Bytes bytes) {
    TapRecord made = record(TapEvent::kReceived, 7, count);
    made.bytes = static_cast<std::uint32_t>(bytes.size());
    return made;
  }
};

TEST_F(EachListenerTest, EveryEnvelopeOfARunIsShown) {
  Listener wanting = each(256);
  const ByteBuffer bytes = envelopes({"one", "two", "three"});
  wanting.offer(run(3, bytes), kAlice, kBob, bytes);
  EXPECT_EQ(bodies(wanting), "7:one 8:two 9:three | ");
}

TEST_F(EachListenerTest, AnEnvelopeThatIsCutEndsItsRecord) {
  const ByteBuffer one = envelopes({"1"});
  Listener wanting = each(static_cast<std::uint32_t>(one.size() + 1));
  const ByteBuffer bytes = envelopes({"1", "12345", "22345", "2"});
  wanting.offer(run(4, bytes), kAlice, kBob, bytes);
  EXPECT_EQ(bodies(wanting), "7:1 8:12 | 9:22 | 10:2 | ");
}

TEST_F(EachListenerTest, PartsTogetherAreTheRun) {
  Listener wanting = each(16 << 10);
  const ByteBuffer bytes = envelopes(std::vector<std::string>(40, std::string(1000, 'x')));
  wanting.offer(run(40, bytes), kAlice, kBob, bytes);
  const auto parts = take(wanting);
  ASSERT_EQ(parts.size(), 3U);
  TapRecord all;
  std::uint64_t next = 7;
  for (const TapRecord& part : parts) {
    EXPECT_EQ(part.first_id, next);
    EXPECT_EQ(part.last_id, part.first_id + part.count - 1);
    EXPECT_EQ(part.extra, part.bytes);
    EXPECT_LE(part.extra, Listener::kMaxPart);
    next = part.last_id + 1;
    all.count += part.count;
    all.bytes += part.bytes;
  }
  EXPECT_EQ(all.count, 40U);
  EXPECT_EQ(all.bytes, bytes.size());
}

TEST_F(EachListenerTest, WhatWasNotKeptForItIsToldWithoutABody) {
  Listener wanting = each(256);
  const ByteBuffer bytes = envelopes({"one", "two"});
  TapRecord five = run(5, bytes);
  five.bytes += 120;
  wanting.offer(five, kAlice, kBob, bytes);
  const auto parts = take(wanting);
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[1].first_id, 9U);
  EXPECT_EQ(parts[1].last_id, 11U);
  EXPECT_EQ(parts[1].count, 3U);
  EXPECT_EQ(parts[1].bytes, 120U);
  EXPECT_EQ(parts[1].extra, 0U);
}

TEST_F(EachListenerTest, OtherEventsAreToldAsRuns) {
  Listener wanting = each(256);
  wanting.offer(record(TapEvent::kForwarded, 7, 4), kAlice, kBob, {});
  const auto records = take(wanting);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].count, 4U);
}

TEST_F(FilteredListenerTest, OfARunOnlyTheEnvelopesThatAreWantedAreTold) {
  Listener wanting = listener("body.temp > 30");
  const ByteBuffer bytes = envelopes({R"({"temp":1})", R"({"temp":31})", "x", R"({"temp":99})"});
  wanting.offer(record(TapEvent::kReceived, 7, 4), kAlice, kBob, bytes);
  wanting.offer(record(TapEvent::kForwarded, 7, 4), kAlice, kBob, {});
  const auto records = take(wanting);
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].first_id, 8U);
  EXPECT_EQ(records[0].last_id, 8U);
  EXPECT_EQ(records[0].count, 1U);
  EXPECT_EQ(records[1].first_id, 10U);
  EXPECT_EQ(records[1].extra, records[1].bytes);
}

TEST_F(FilteredListenerTest, EnvelopesItCannotLookIntoAreMissedUnlessTheirHeaderIsUnwanted) {
  Listener wanting = listener("body.temp > 30 and from = alice");
  const ByteBuffer bytes = envelopes({R"({"temp":1})"});
  wanting.offer(record(TapEvent::kReceived, 7, 3), kAlice, kBob, bytes);
  wanting.offer(record(TapEvent::kReceived, 7, 3), {3, 1, "carol"}, kBob, bytes);
  const auto records = take(wanting);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].event, TapEvent::kMissed);
  EXPECT_EQ(records[0].missed, 1U);
}

TEST_F(FilteredListenerTest, AFilterOfHeadersTellsTheRunAsItIs) {
  Listener wanting = listener("from = al* and id = 8");
  wanting.offer(record(TapEvent::kReceived, 7, 4), kAlice, kBob, envelopes({"x"}));
  wanting.offer(record(TapEvent::kReceived, 17, 4), kAlice, kBob, envelopes({"x"}));
  const auto records = take(wanting);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].count, 4U);
}

TEST_F(FilteredListenerTest, ALatencyIsKnownOfWhatWasReceivedBefore) {
  Listener wanting = listener("latency >= 1us and event = delivered");
  TapRecord delivered = record(TapEvent::kDelivered, 7, 1);
  delivered.time_ns = 2'000;
  wanting.offer(delivered, kAlice, kBob, {});
  EXPECT_TRUE(take(wanting).empty());
  wanting.offer(record(TapEvent::kReceived, 7, 1), kAlice, kBob, {});
  wanting.offer(delivered, kAlice, kBob, {});
  delivered.time_ns = 1'500;
  wanting.offer(delivered, kAlice, kBob, {});
  EXPECT_EQ(take(wanting).size(), 1U);
}

}  // namespace
}  // namespace zpost::tap
