#include "broker/tap/listener.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

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
