// What the tap is told of an envelope's way. SPEC.md, section 12.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/broker/core/support/meeting.h"
#include "zpost/protocol/msgpack_writer.h"

namespace zpost::core::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

class NotesTest : public testing::Test, public Meeting {
 protected:
  explicit NotesTest(const Limits& limits = {}) : Meeting(limits) {
    world.router().set_tap(TapDetail::kTopics);
  }

  /// The notes since the last call, as "event from>to first-last xCOUNT code", ids counted from
  /// `base`.
  std::vector<std::string> notes(std::uint64_t base) {
    world.settle();
    std::vector<std::string> lines;
    for (const TapNote& note : world.take_tap()) {
      const TapRecord& record = note.record;
      const bool ids = record.event != TapEvent::kSession && record.event != TapEvent::kDropped;
      lines.push_back(fmt::format("{} {}>{}{} {}", word(record.event),
                                  world.router().name_of(record.from),
                                  world.router().name_of(record.to),
                                  ids ? fmt::format(" {}-{} x{}", record.first_id - base,
                                                    record.last_id - base, record.count)
                                      : fmt::format(" x{}", record.count),
                                  record.code));
    }
    return lines;
  }

  void forget_notes() {
    world.settle();
    (void)world.take_tap();
  }

  static std::string_view word(TapEvent event) {
    constexpr std::string_view kWords[] = {
        "0",      "received", "forwarded", "held", "failed",  "delivered", "session", "name",
        "missed", "assigned", "answered",  "end",  "dropped", "flow",      "asked"};
    return kWords[static_cast<std::size_t>(event)];
  }
};

TEST_F(NotesTest, WhatGoesAtOnceIsToldAsOneRun) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  forget_notes();
  const std::uint64_t base = alice.send("bob", "1");
  alice.send("bob", "22");
  EXPECT_THAT(notes(base), ElementsAre("received alice>bob 0-0 x1 0", "received alice>bob 1-1 x1 0",
                                       "forwarded alice>bob 0-1 x2 0"));
  bob.keep_up();
  EXPECT_THAT(notes(base),
              ElementsAre("delivered alice>bob 0-0 x1 1", "delivered alice>bob 1-1 x1 1"));
}

TEST_F(NotesTest, WhatAFullWindowHoldsIsToldAgainWhenItGoes) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join(FakePeer::Options{.name = "bob", .frames = 1});
  forget_notes();
  const std::uint64_t base = alice.send("bob", "1");
  world.settle();
  alice.send("bob", "2");
  world.settle();
  alice.send("bob", "3");
  EXPECT_THAT(notes(base),
              ElementsAre("received alice>bob 0-0 x1 0", "forwarded alice>bob 0-0 x1 0",
                          "received alice>bob 1-1 x1 0", "held alice>bob 1-1 x1 1",
                          "received alice>bob 2-2 x1 0", "held alice>bob 2-2 x1 1"));
  bob.keep_up();
  EXPECT_THAT(notes(base),
              ElementsAre("delivered alice>bob 0-0 x1 1", "forwarded alice>bob 1-2 x2 0"));
}

TEST_F(NotesTest, SendersThatWaitTogetherAreToldApart) {
  FakePeer& alice = join("alice");
  FakePeer& carol = join("carol");
  FakePeer& bob = join(FakePeer::Options{.name = "bob", .frames = 1});
  alice.send("bob", "0");
  world.settle();
  forget_notes();
  const std::uint64_t base = alice.send("bob", "1");
  alice.send("bob", "2");
  world.settle();
  const std::uint64_t carols = carol.send("bob", "3");
  world.settle();
  forget_notes();
  bob.keep_up();
  world.settle();
  std::vector<std::string> forwarded;
  for (const TapNote& note : world.take_tap()) {
    if (note.record.event != TapEvent::kForwarded) continue;
    const bool alices = world.router().name_of(note.record.from) == "alice";
    EXPECT_EQ(note.record.first_id, alices ? base : carols);
    EXPECT_EQ(note.record.count, alices ? 2u : 1u);
    forwarded.emplace_back(world.router().name_of(note.record.from));
  }
  EXPECT_THAT(forwarded, ElementsAre("alice", "carol"));
}

TEST_F(NotesTest, WhatWasUnderWayGoesAgainOverANewConnection) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  const std::uint64_t base = alice.send("bob", "1");
  world.settle();
  bob.lose();
  forget_notes();
  alice.send("bob", "2");
  EXPECT_THAT(notes(base), ElementsAre("received alice>bob 1-1 x1 0", "held alice>bob 1-1 x1 2"));
  come(bob);
  EXPECT_THAT(notes(base), ElementsAre("session bob> x0 2", "forwarded alice>bob 0-0 x1 1",
                                       "forwarded alice>bob 1-1 x1 0"));
}

TEST_F(NotesTest, APipeThatTakesNothingHoldsWhatSeemedToGo) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  forget_notes();
  world.set_room(bob.connection(), 0);
  const std::uint64_t base = alice.send("bob", "1");
  world.settle();
  world.advance(20 * kMillisecond);
  EXPECT_THAT(notes(base), ElementsAre("received alice>bob 0-0 x1 0",
                                       "forwarded alice>bob 0-0 x1 0", "held alice>bob 0-0 x1 4"))
      << "each attempt is no story of its own";
  world.set_room(bob.connection(), 100);
  world.advance(20 * kMillisecond);
  bob.keep_up();
  EXPECT_THAT(notes(base), Contains("delivered alice>bob 0-0 x1 1"));
}

TEST_F(NotesTest, WhoAsksForSoManyIsToldOfAsTheReason) {
  FakePeer& alice = join("alice");
  join(FakePeer::Options{.name = "bob", .demand = 1});
  forget_notes();
  const std::uint64_t base = alice.send("bob", "1");
  alice.send("bob", "2");
  EXPECT_THAT(notes(base), Contains("held alice>bob 1-1 x1 5"));
}

TEST_F(NotesTest, WhatWaitsWhenTheTapOpensIsTold) {
  world.router().set_tap(TapDetail::kNothing);
  FakePeer& alice = join("alice");
  FakePeer& bob = join(FakePeer::Options{.name = "bob", .frames = 1});
  const std::uint64_t base = alice.send("bob", "1");
  world.settle();
  alice.send("bob", "2");
  world.settle();
  world.router().set_tap(TapDetail::kRuns);
  bob.keep_up();
  EXPECT_THAT(notes(base), Contains("forwarded alice>bob 1-1 x1 0"));
}

TEST_F(NotesTest, ACallThatWaitsForAWorkerIsHeld) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  bob.write_interest(Kind::kOffer, encode(Offer{"sum", 1}), false);
  bob.say();
  forget_notes();
  const std::uint64_t base = alice.send("sum", "1", Kind::kCall);
  world.settle();
  alice.send("sum", "2", Kind::kCall);
  EXPECT_THAT(notes(base),
              ElementsAre("received alice>@sum 0-0 x1 0", "assigned alice>bob 0-0 x1 1",
                          "received alice>@sum 1-1 x1 0", "held alice>@sum 1-1 x1 6"));
}

TEST_F(NotesTest, ACallWhoseWorkerIsGoneWaitsForAnother) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  bob.write_interest(Kind::kOffer, encode(Offer{"sum", 1}), false);
  bob.say();
  const std::uint64_t base = alice.send("sum", "1", Kind::kCall);
  forget_notes();
  bob.goodbye();
  EXPECT_THAT(notes(base), Contains("held alice>@sum 0-0 x1 7"));
}

class StallNotesTest : public NotesTest {
 protected:
  StallNotesTest() : NotesTest(small_credit()) {}

  static Limits small_credit() {
    Limits limits;
    limits.credit_initial = limits.credit_max = 4096;
    limits.pair_share = 1;
    return limits;
  }
};

TEST_F(StallNotesTest, ASenderThatMustWaitIsToldOfAndWhenItGoesOn) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  const std::uint64_t base = alice.send("bob", std::string(3900, 'x'));
  world.settle();
  bob.read();
  forget_notes();
  world.advance(250 * kMillisecond);
  EXPECT_THAT(notes(base), ElementsAre("flow alice>bob 0-0 x1 1")) << "once";
  bob.take();
  bob.ack();
  EXPECT_THAT(notes(base), Contains("flow alice>bob 0-0 x1 2"));
}

TEST_F(StallNotesTest, ASenderThatWaitsForAMomentIsNot) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join("bob");
  const std::uint64_t base = alice.send("bob", std::string(3900, 'x'));
  world.settle();
  bob.keep_up();
  forget_notes();
  world.advance(250 * kMillisecond);
  EXPECT_THAT(notes(base), Not(Contains(testing::StartsWith("flow"))));
}

TEST_F(NotesTest, QuestionsToTheBrokerAreTold) {
  FakePeer& alice = join("alice");
  forget_notes();
  ByteBuffer body;
  MsgpackWriter(body).map(1).str("op").str("stats");
  const std::uint64_t base = alice.send("", as_text(body), Kind::kRequest);
  EXPECT_THAT(notes(base), ElementsAre("asked alice> 0-0 x1 2"));
  alice.send("", "nonsense", Kind::kRequest);
  EXPECT_THAT(notes(base), ElementsAre("asked alice> 1-1 x1 0"));
}

class SmallTopicsTest : public NotesTest {
 protected:
  SmallTopicsTest() : NotesTest(small_queue()) {}

  static Limits small_queue() {
    Limits limits;
    limits.topic_queue = 8192;
    return limits;
  }
};

TEST_F(SmallTopicsTest, CopiesThatASlowSubscriberDoesNotGetAreCounted) {
  FakePeer& alice = join("alice");
  FakePeer& bob = join(FakePeer::Options{.name = "bob", .window = 1000});
  bob.write_interest(Kind::kSubscribe, encode(Subscribe{"news", SlowPolicy::kDropOldest}), false);
  bob.say();
  world.settle();
  const std::uint64_t base = alice.send("news", std::string(5000, 'x'), Kind::kPublish);
  world.settle();
  alice.send("news", std::string(5000, 'y'), Kind::kPublish);
  world.settle();
  forget_notes();
  alice.send("news", std::string(5000, 'z'), Kind::kPublish);
  EXPECT_THAT(notes(base),
              ElementsAre("received alice>news 2-2 x1 0", "forwarded alice>news 2-2 x1 1",
                          testing::StartsWith("dropped >bob x1 ")));
}

}  // namespace
}  // namespace zpost::core::test
