// A peer without its socket, in virtual time.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/peer/state_fixture.h"

namespace zpost::peer {
namespace {

TEST_F(StateTest, AnAckGoesBesidePayloadOnceTheLatestIsAMillisecondOld) {
  be_welcomed();
  sink_.time += milliseconds(1);
  hear(Kind::kPresence, encode(Presence{}));
  ASSERT_TRUE(send("bob"));
  EXPECT_EQ(sink_.bodies(Kind::kAck).size(), 1u);
  hear(Kind::kPresence, encode(Presence{}));
  ASSERT_TRUE(send("bob"));
  EXPECT_EQ(sink_.bodies(Kind::kAck).size(), 1u) << "no time has passed";
  sink_.time += milliseconds(1);
  ASSERT_TRUE(send("bob"));
  EXPECT_EQ(sink_.bodies(Kind::kAck).size(), 2u);
}

TEST_F(StateTest, AWelcomeMayLeaveItsLimitsOut) {
  be_welcomed();
  EXPECT_TRUE(send("bob", std::string(100'000, 'x')));
  EXPECT_EQ(sink_.bodies(Kind::kSend).size(), 1u);
}

TEST_F(StateTest, WhetherSomethingCouldBeSentOpensNoAccount) {
  be_welcomed();
  const Draft draft{.kind = Kind::kSend, .to = "bob", .body = {}, .meta = {}};
  ASSERT_TRUE(send("carol"));
  EXPECT_TRUE(state_.could_send(draft));
  EXPECT_TRUE(state_.surely_valid({.kind = Kind::kSend, .to = "carol", .body = {}, .meta = {}}))
      << "carol's is still the latest";
}

TEST_F(StateTest, ChangesOfStateBeyondTheLimitAreCounted) {
  for (int i = 0; i < 600; ++i) {
    be_welcomed();
    state_.lost("test");
  }
  EXPECT_EQ(state_.changes().size(), 1'024u);
  EXPECT_EQ(state_.statistics().dropped_changes, 1'200u - 1'024u);
}

TEST_F(StateTest, PresenceChangesBeyondTheLimitAreCounted) {
  be_welcomed();
  const ByteBuffer joined =
      encode(Presence{.event = "joined", .peer = "bob", .instance = std::string(32, 'b')});
  for (int i = 0; i < 65'540; ++i) hear(Kind::kPresence, joined);
  EXPECT_EQ(state_.presences().size(), 65'536u);
  EXPECT_EQ(state_.statistics().dropped_presences, 4u);
}

TEST_F(StateTest, TheBacklogOfAnEarlierRunIsSaidInEveryHello) {
  be_welcomed();
  EXPECT_EQ(decode_hello(as_bytes(sink_.bodies(Kind::kHello).back()))->backlog, 0u);
  ASSERT_TRUE(send("bob", std::string(1'000, 'x')));
  state_.lost("test");
  ASSERT_TRUE(send("carol", std::string(500, 'x')));  // In the open frame until it is known better.
  be_welcomed();
  const auto hello = decode_hello(as_bytes(sink_.bodies(Kind::kHello).back()));
  EXPECT_GT(hello->backlog, 1'500u + 2 * kEnvelopeOverhead);
  EXPECT_LT(hello->backlog, 1'500u + 2 * kEnvelopeOverhead + 100);
}

TEST_F(StateTest, WhatAnEarlierRunMayHaveDeliveredIsLostWhateverThisOneSays) {
  be_welcomed();
  const auto sent = send("bob");
  state_.lost("test");
  const auto unsent = send("bob");  // No run ever had it.
  run_ = 'b';
  be_welcomed();
  ASSERT_TRUE(sent && unsent);
  const ByteBuffer no_peer = encode(OutcomeNotice{Outcome::kNoPeer, "bob", ""});
  hear(Kind::kOutcome, no_peer, {}, *sent);
  hear(Kind::kOutcome, no_peer, {}, *unsent);
  EXPECT_EQ(state_.reports().next()->outcome, Outcome::kLost);
  EXPECT_EQ(state_.reports().next()->outcome, Outcome::kNoPeer);
}

TEST_F(StateTest, ARequestWhoseReplyCameIsNotSentToTheNextRun) {
  be_welcomed();
  const auto id =
      state_.try_send({.kind = Kind::kRequest, .to = "bob", .body = as_bytes("?"), .meta = {}});
  ASSERT_TRUE(id);
  state_.expect_reply({.id = *id, .to = "bob"}, [](const Answer<Message>&) {});
  auto frame = std::make_shared<ByteBuffer>();
  Meta meta;
  meta.in_reply_to = *id;
  append_envelope(*frame, {Kind::kReply, "alice", "bob", 7, meta, as_bytes("!"), false});
  state_.handle(*frame, frame);
  ASSERT_EQ(state_.resolved().size(), 1u);

  state_.lost("test");  // Before any receipt.
  run_ = 'b';
  be_welcomed();
  EXPECT_EQ(sink_.bodies(Kind::kRequest).size(), 1u);
}

TEST_F(StateTest, TheGoodbyeCountsWhatWasTaken) {
  be_welcomed();
  hear(Kind::kSend, as_bytes("1"), "bob", 1);
  hear(Kind::kSend, as_bytes("2"), "bob", 2);
  Keeper frame;
  (void)state_.inbox().give_one(frame);
  state_.inbox().take();
  state_.close();
  const auto counts = decode_goodbye(as_bytes(sink_.bodies(Kind::kGoodbye).back()));
  EXPECT_EQ(counts->taken, 1u) << "the second is reported lost";
}

TEST_F(StateTest, WhatIsWrittenGoesBeforeTheReportOfLowerCredit) {
  be_welcomed();
  sink_.is_busy = true;  // So that it stays in the open frame.
  ASSERT_TRUE(
      state_.try_send({.kind = Kind::kSend, .to = "bob", .body = as_bytes("x"), .meta = {}}));
  ASSERT_TRUE(state_.has_open_frame());
  hear(Kind::kCredit, encode(Receipt{1'000, 500, {}}));
  state_.tick(sink_.time);
  ASSERT_FALSE(sink_.bodies(Kind::kAck).empty());
  EXPECT_EQ(sink_.bodies(Kind::kSend).size(), 1u);
  const auto place = [this](Kind kind) {
    return std::ranges::find(sink_.sent, kind, [](const auto& sent) { return sent.first; });
  };
  EXPECT_LT(place(Kind::kSend), place(Kind::kAck));
}

TEST_F(StateTest, WhatIsGatheredGoesAsOneFrame) {
  be_welcomed();
  state_.gather(true);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(send("bob"));
  EXPECT_EQ(sink_.frames, 0);
  state_.gather(false);
  sink_.is_busy = true;
  state_.flush_if_idle();
  EXPECT_EQ(sink_.frames, 0) << "it goes when the one before has left";
  sink_.is_busy = false;
  state_.flush_if_idle();
  EXPECT_EQ(sink_.frames, 1);
  EXPECT_EQ(sink_.bodies(Kind::kSend).size(), 3U);
}

TEST_F(StateTest, WhatIsGatheredIsNoMoreThanAFrame) {
  be_welcomed();
  state_.gather(true);
  const std::string body(10'000, 'x');
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(send("bob", body));
  EXPECT_GT(sink_.frames, 0);
}

TEST_F(StateTest, ADoubtIsSaidBeforeTheAckThatCoversItAndInTheNextHello) {
  be_welcomed();
  for (const std::uint64_t id : {5U, 2U}) hear(Kind::kSend, as_bytes("x"), "bob", id);
  Keeper frame;
  (void)state_.inbox().give_one(frame);
  state_.inbox().take();
  sink_.time += seconds(1);
  state_.tick(sink_.time);
  const Doubt doubt{{{2, 1}}};
  ASSERT_EQ(sink_.bodies(Kind::kDoubt).size(), 1u);
  EXPECT_EQ(*decode_doubt(as_bytes(sink_.bodies(Kind::kDoubt).front())), doubt);
  const auto place = [this](Kind kind) {
    return std::ranges::find(sink_.sent, kind, [](const auto& sent) { return sent.first; });
  };
  EXPECT_LT(place(Kind::kDoubt), place(Kind::kAck));
  EXPECT_EQ(last_ack().taken, 2u);
  state_.lost("test");
  state_.opened(sink_.time);
  EXPECT_EQ(decode_hello(as_bytes(sink_.bodies(Kind::kHello).back()))->doubts, doubt.ranges);
}

TEST_F(StateTest, ADeferredReplyGoesBeforeAnythingNewForItsRecipient) {
  be_welcomed(150);
  ASSERT_TRUE(send("bob", "first"));
  ASSERT_FALSE(state_.try_send(reply("bob", "a longer reply")));
  ASSERT_TRUE(state_.defer(reply("bob", "a longer reply")));
  EXPECT_EQ(state_.unsettled(), 2u);
  EXPECT_FALSE(state_.could_send({.kind = Kind::kSend, .to = "bob", .body = {}, .meta = {}}));

  hear(Kind::kReceipt, encode(Receipt{10'000, 10'000, {{"bob", 100, false}}}));
  EXPECT_EQ(sink_.bodies(Kind::kReply), std::vector<std::string>{"a longer reply"});
  EXPECT_EQ(state_.unsettled(), 1u);
  EXPECT_TRUE(send("bob", "second"));
}

TEST_F(StateTest, ADeferredReplyThatNeverGoesHasItsOutcome) {
  be_welcomed(150);
  ASSERT_TRUE(send("bob", "first"));
  ASSERT_TRUE(state_.defer(reply("bob", "late")));
  state_.close();
  EXPECT_EQ(state_.reports().next()->outcome, Outcome::kLost);
  EXPECT_EQ(state_.reports().next()->outcome, Outcome::kLost);
  const Statistics statistics = state_.statistics();
  EXPECT_EQ(statistics.sent, 2u);
  EXPECT_EQ(statistics.failed, 2u);
  EXPECT_EQ(statistics.unsettled, 0u);
}

class DemandingStateTest : public StateTest {
 protected:
  DemandingStateTest()
      : StateTest([] {
          Options options;
          options.demand = 5;
          return options;
        }()) {}
};

TEST_F(DemandingStateTest, WhatIsWantedWhileTheHelloIsOnItsWayIsToldAfterTheWelcome) {
  state_.opened(sink_.time);
  state_.add_demand(3);
  EXPECT_TRUE(sink_.bodies(Kind::kAck).empty());
  Welcome welcome;
  welcome.run = std::string(32, 'a');
  welcome.epoch = 1;
  welcome.credit = welcome.pair = 1'000;
  hear(Kind::kWelcome, encode(welcome));
  ASSERT_EQ(sink_.bodies(Kind::kAck).size(), 1u);
  EXPECT_EQ(last_ack().demand, 8u);
}

TEST_F(DemandingStateTest, DemandGrowsNoFurtherThanItsNumberHolds) {
  be_welcomed();
  state_.add_demand(3);
  EXPECT_EQ(last_ack().demand, 8u);
  state_.add_demand(UINT64_MAX);
  EXPECT_EQ(last_ack().demand, UINT64_MAX);
}

}  // namespace
}  // namespace zpost::peer
