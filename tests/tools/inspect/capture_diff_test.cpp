#include "tools/inspect/capture_diff.h"

#include <gtest/gtest.h>

#include <deque>

#include "tests/tools/inspect/times.h"
#include "tools/inspect/diff_text.h"
#include "zpost/protocol/envelope.h"

namespace zpost::inspect {
namespace {

/// A capture that is written down in a few words.
class Written {
 public:
  explicit Written(std::uint64_t first_id) : next_id_(first_id) {}

  /// Of alice to bob, delivered 2 ms later.
  Written& send(std::string_view body, Outcome outcome = Outcome::kDelivered,
                std::uint64_t latency_ms = 2) {
    const std::uint64_t id = next_id_++;
    ByteBuffer& bytes = bytes_.emplace_back();
    append_envelope(bytes, {.kind = Kind::kSend,
                            .to = "bob",
                            .from = "alice",
                            .id = id,
                            .body = as_bytes(body),
                            .body_is_text = true});
    TapEntry entry = entry_of(TapEvent::kReceived, id);
    entry.shown = bytes;
    entry.record.bytes = static_cast<std::uint32_t>(bytes.size());
    add(entry);
    TapEntry end =
        entry_of(outcome == Outcome::kDelivered ? TapEvent::kDelivered : TapEvent::kFailed, id);
    end.record.time_ns += latency_ms * kMs;
    end.record.code = static_cast<std::uint16_t>(outcome);
    add(end);
    return *this;
  }

  /// Neighbours without bodies.
  Written& run(std::uint32_t count) {
    TapEntry entry = entry_of(TapEvent::kReceived, next_id_);
    entry.record.count = count;
    entry.record.last_id = next_id_ + count - 1;
    next_id_ += count;
    add(entry);
    return *this;
  }

  Written& skip_id() {
    ++next_id_;
    return *this;
  }

  [[nodiscard]] const DiffSide& side() const { return side_; }

 private:
  TapEntry entry_of(TapEvent event, std::uint64_t id) {
    TapEntry entry;
    entry.record.event = event;
    entry.record.time_ns = kStart + ++sequence_ * kMs;
    entry.record.sequence = sequence_;
    entry.record.kind = static_cast<std::uint8_t>(Kind::kSend);
    entry.record.first_id = entry.record.last_id = id;
    entry.record.count = 1;
    entry.from = "alice";
    entry.to = "bob";
    return entry;
  }

  void add(const TapEntry& entry) {
    const auto added = side_.add(entry, false);
    EXPECT_TRUE(added) << added.error().text;
  }

  DiffSide side_{LineChoice({}, {}, std::nullopt)};
  std::deque<ByteBuffer> bytes_;
  std::uint64_t next_id_;
  std::uint64_t sequence_ = 0;
};

class CaptureDiffTest : public testing::Test {
 protected:
  /// The differences, a line each without ids.
  std::vector<std::string> diff(const Written& first, const Written& second) {
    const DiffPairing pairing = pairing_of(first.side(), second.side());
    std::vector<std::string> told;
    CaptureDiff diff(pairing, {}, [&told](const Difference& difference) {
      std::string text = difference_text(difference, 20, cli::Palette(false));
      const std::size_t id = text.find('#');
      const std::size_t end = text.find("  ", id);
      const std::string what = text.substr(0, text.find("alice"));
      told.push_back(what.substr(0, what.find_last_not_of(' ') + 1) +
                     (end == std::string::npos ? "" : ": " + text.substr(end + 2)));
      if (told.back().ends_with('\n')) told.back().pop_back();
    });
    overviews_ = diff.run(first.side(), second.side());
    return told;
  }

  [[nodiscard]] const DiffCounts& counts() const { return overviews_.front().counts; }

  std::vector<DiffOverview> overviews_;
};

using Lines = std::vector<std::string>;

TEST_F(CaptureDiffTest, TwoOfOneRunAreComparedById) {
  Written first(100);
  Written second(100);
  first.send("a").send("b").send("c");
  second.send("a").skip_id().send("x").send("d");
  EXPECT_EQ(pairing_of(first.side(), second.side()), DiffPairing::kById);
  EXPECT_EQ(diff(first, second),
            (Lines{"changed: body \"c\" → \"x\"", "only in A: \"b\"", "only in B: \"d\""}));
  EXPECT_EQ(counts().same, 1U);
}

TEST_F(CaptureDiffTest, TwoOfDifferentRunsAreComparedByOrderAndBody) {
  Written first(100);
  Written second(9000);
  first.send("a").send("b").send("c").send("d");
  second.send("a").send("c").send("x").send("d");
  EXPECT_EQ(pairing_of(first.side(), second.side()), DiffPairing::kByOrder);
  EXPECT_EQ(diff(first, second), (Lines{"only in A: \"b\"", "only in B: \"x\""}));
  EXPECT_EQ(counts().same, 3U);
}

TEST_F(CaptureDiffTest, ABodyThatChangedInItsPlaceIsAPair) {
  Written first(100);
  Written second(9000);
  first.send("a").send(R"({"n": 1})").send("c");
  second.send("a").send(R"({"n": 2})").send("c");
  EXPECT_EQ(diff(first, second), (Lines{"changed: body.n 1 → 2"}));
}

TEST_F(CaptureDiffTest, WhatStandsElsewhereIsADifferentOrder) {
  Written first(100);
  Written second(9000);
  first.send("moved");
  for (std::size_t i = 0; i < CaptureDiff::kLookAhead + 10; ++i) {
    first.send(std::to_string(i));
    second.send(std::to_string(i));
  }
  second.send("moved");
  EXPECT_EQ(diff(first, second), (Lines{"changed: order"}));
}

TEST_F(CaptureDiffTest, AnotherOutcomeIsADifferenceAndAnotherLatencyIsNone) {
  Written first(100);
  Written second(100);
  first.send("a").send("b", Outcome::kDelivered, 1);
  second.send("a", Outcome::kNoPeer).send("b", Outcome::kDelivered, 30);
  EXPECT_EQ(diff(first, second), (Lines{"changed: outcome delivered → no-peer"}));
  EXPECT_EQ(overviews_.front().first->p99_ns, 3 * kMs);
  EXPECT_EQ(overviews_.front().second->p50_ns, 31 * kMs);
}

TEST_F(CaptureDiffTest, EnvelopesWithoutBodiesAreCountedAsSuch) {
  Written first(100);
  Written second(100);
  first.run(3);
  second.send("a").send("b").send("c");
  const Lines told = diff(first, second);
  EXPECT_EQ(told.size(), 3U) << "what became of them is known of one side only";
  EXPECT_EQ(counts().first, 3U);
  EXPECT_EQ(counts().only_first + counts().only_second, 0U);
}

TEST_F(CaptureDiffTest, BeyondTheBoundItIsRefusedInWords) {
  DiffSide side{LineChoice({}, {}, std::nullopt)};
  TapEntry entry;
  entry.record.event = TapEvent::kReceived;
  entry.record.kind = static_cast<std::uint8_t>(Kind::kSend);
  entry.record.first_id = 1;
  entry.record.count = DiffSide::kMaxEnvelopes + 1;
  entry.record.last_id = entry.record.count;
  entry.from = "alice";
  entry.to = "bob";
  const auto added = side.add(entry, false);
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().text,
            "more than 500,000 envelopes or 256 MiB of bodies: choose some with --filter, or "
            "split it");
}

}  // namespace
}  // namespace zpost::inspect
