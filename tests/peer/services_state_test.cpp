// Requests, calls and services without a socket: deadlines, cancels, streams, outcomes.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/peer/state_fixture.h"

namespace zpost::peer {
namespace {

constexpr std::uint64_t kBrokerClock = 1'700'000'000'000'000'000;  // At the welcome, ns.

class ServicesStateTest : public StateTest {
 protected:
  ServicesStateTest() { be_welcomed_at(kBrokerClock); }

  void be_welcomed_at(std::uint64_t clock, bool resumed = false) {
    Welcome welcome;
    welcome.time_ns = clock;
    welcome.resumed = resumed;
    be_welcomed(welcome);
  }

  enum class Replies { kOne, kMany };

  std::uint64_t ask(Kind kind, const std::string& to, Replies replies = Replies::kOne,
                    milliseconds timeout = milliseconds::max()) {
    const auto id =
        state_.try_send({.kind = kind, .to = to, .body = as_bytes("question"), .meta = {}});
    EXPECT_TRUE(id);
    Asked asked{.id = *id, .to = to, .is_call = kind == Kind::kCall};
    asked.streams = replies == Replies::kMany;
    if (timeout != milliseconds::max()) asked.deadline = sink_.time + timeout;
    state_.expect_reply(asked, [](const Answer<Message>&) {});
    return *id;
  }

  void hear_reply(const std::string& from, std::uint64_t to_request, std::string_view body,
                  bool more = false) {
    EnvelopeFields reply{Kind::kReply, "alice", from, ++reply_id_, {}, as_bytes(body), false};
    reply.meta.in_reply_to = to_request;
    reply.meta.more = more;
    hear(reply);
  }

  static EnvelopeFields question(Kind kind, std::uint64_t id, std::uint64_t deadline = 0) {
    EnvelopeFields fields{
        kind, kind == Kind::kCall ? "sum" : "alice", "bob", id, {}, as_bytes("2+2"), false};
    fields.meta.deadline_ns = deadline;
    return fields;
  }

  void hear_receipt(const std::string& of, std::uint64_t id) {
    hear(Kind::kReceipt, encode(Receipt{1'000'000, 1'000'000, {{of, id, false}}}));
  }

  /// What was resolved since the last call: texts of replies, names of outcomes.
  std::vector<std::string> resolved() {
    std::vector<std::string> words;
    for (const Resolved& each : std::exchange(state_.resolved(), {})) {
      words.push_back(each.answer
                          ? std::string(each.answer->text()) + (each.answer->more ? "…" : "")
                          : std::string(outcome_name(each.answer.error().outcome)));
    }
    return words;
  }

  using Words = std::vector<std::string>;

  std::uint64_t reply_id_ = 0;
};

TEST_F(ServicesStateTest, ACallIsPaidForByItsServiceAndAnsweredByAnyWorker) {
  const std::uint64_t id = ask(Kind::kCall, "sum");
  hear_receipt("@sum", id);
  EXPECT_EQ(resolved(), Words{}) << "taken, not answered";
  hear_reply("worker-7", id, "4");
  EXPECT_EQ(resolved(), Words{"4"});
  EXPECT_EQ(state_.unsettled(), 0u);
}

TEST_F(ServicesStateTest, AnOutcomeEndsARequestThatAReceiptCovered) {
  const std::uint64_t id = ask(Kind::kRequest, "bob");
  hear_receipt("bob", id);
  hear_outcome(id, {.code = Outcome::kNoReply, .text = "too large"});
  EXPECT_EQ(resolved(), Words{"no-reply"});
  hear_reply("bob", id, "late");
  EXPECT_EQ(resolved(), Words{});
  EXPECT_EQ(state_.statistics().late_replies, 1u);
}

TEST_F(ServicesStateTest, ARequestThatExpiredUntakenStillHoldsItsCredit) {
  const std::uint64_t id = ask(Kind::kRequest, "bob");
  hear_outcome(id, {.code = Outcome::kExpired});
  EXPECT_EQ(resolved(), Words{"expired"});
  state_.lost("test");
  Welcome welcome;
  welcome.resumed = true;
  welcome.pair = 100;
  welcome.credit = 1'000'000;
  welcome.highest_id = id;
  welcome.outcomes = 1;
  be_welcomed(welcome);
  EXPECT_FALSE(send("bob", "next")) << "bob has not taken it yet";
  hear(Kind::kReceipt, encode(Receipt{1'000'000, 100, {{"bob", id, false}}}));
  EXPECT_TRUE(send("bob", "next"));
}

TEST_F(ServicesStateTest, ACallWhoseReplyCameIsNotSentToTheNextRun) {
  const std::uint64_t id = ask(Kind::kCall, "sum");
  hear_reply("worker", id, "4");  // Before any receipt.
  EXPECT_EQ(resolved(), Words{"4"});
  state_.lost("test");
  run_ = 'b';
  be_welcomed();
  EXPECT_EQ(sink_.bodies(Kind::kCall).size(), 1u);
}

TEST_F(ServicesStateTest, ACancelIsSaidAndItsOutcomeEndsTheRequest) {
  const std::uint64_t id = ask(Kind::kCall, "sum");
  EXPECT_TRUE(state_.cancel(id));
  EXPECT_FALSE(state_.cancel(id + 1)) << "there is none";
  EXPECT_EQ(sink_.sent.back().first, Kind::kCancel);
  EXPECT_EQ(sink_.ids.back(), id);
  hear_outcome(id, {.code = Outcome::kCancelled, .recipient = "@sum"});
  EXPECT_EQ(resolved(), Words{"cancelled"});
}

TEST_F(ServicesStateTest, AReplyMayComeBeforeTheCancel) {
  const std::uint64_t id = ask(Kind::kRequest, "bob");
  EXPECT_TRUE(state_.cancel(id));
  hear_reply("bob", id, "4");
  EXPECT_EQ(resolved(), Words{"4"});
  hear_outcome(id, {.code = Outcome::kCancelled});
  EXPECT_EQ(resolved(), Words{});
}

TEST_F(ServicesStateTest, ACancelIsSaidAgainAfterALoss) {
  const std::uint64_t id = ask(Kind::kRequest, "bob");
  state_.lost("test");
  EXPECT_TRUE(state_.cancel(id));
  EXPECT_TRUE(sink_.bodies(Kind::kCancel).empty());
  be_welcomed_at(kBrokerClock, true);
  EXPECT_EQ(sink_.sent.back().first, Kind::kCancel) << "after the request";
}

TEST_F(ServicesStateTest, ACancelWaitsWhileTheCopyItIsAboutWaitsForCredit) {
  const std::uint64_t first = ask(Kind::kRequest, "bob");
  const std::uint64_t second = ask(Kind::kRequest, "bob");
  state_.lost("test");
  run_ = 'b';
  Welcome welcome;
  welcome.credit = welcome.pair = 1;  // One envelope at a time.
  be_welcomed(welcome);
  EXPECT_TRUE(state_.cancel(second));
  EXPECT_TRUE(sink_.bodies(Kind::kCancel).empty()) << "the broker would know of no such request";
  hear_receipt("bob", first);
  const std::size_t size = sink_.sent.size();
  EXPECT_EQ(sink_.sent[size - 2].first, Kind::kRequest);
  EXPECT_EQ(sink_.ids[size - 2], second);
  EXPECT_EQ(sink_.sent[size - 1].first, Kind::kCancel);
  EXPECT_EQ(sink_.ids[size - 1], second);
}

TEST_F(ServicesStateTest, WhatTookTooLongIsCancelledSinceTheBrokersClockMaySayOtherwise) {
  const std::uint64_t id = ask(Kind::kCall, "sum", Replies::kOne, seconds(1));
  sink_.time += seconds(2);
  state_.tick(sink_.time);
  EXPECT_EQ(resolved(), Words{"timed-out"});
  EXPECT_EQ(sink_.sent.back().first, Kind::kCancel);
  EXPECT_EQ(sink_.ids.back(), id);
}

TEST_F(ServicesStateTest, WhatTookTooLongWithoutASessionIsCancelledAfterItsCopyWentAgain) {
  const std::uint64_t id = ask(Kind::kCall, "sum", Replies::kOne, seconds(1));
  state_.lost("test");
  sink_.time += seconds(2);
  state_.tick(sink_.time);
  be_welcomed_at(kBrokerClock);
  std::vector<Kind> said;
  for (std::size_t i = 0; i < sink_.sent.size(); ++i) {
    if (sink_.ids[i] == id) said.push_back(sink_.sent[i].first);
  }
  EXPECT_EQ(said, (std::vector{Kind::kCall, Kind::kCall, Kind::kCancel}));
}

TEST_F(ServicesStateTest, OfManyThatTookTooLongWithoutASessionTheLatestAreCancelled) {
  std::vector<std::uint64_t> ids;
  for (int i = 0; i < 1030; ++i) ids.push_back(ask(Kind::kCall, "sum", Replies::kOne, seconds(1)));
  state_.lost("test");
  sink_.time += seconds(2);
  state_.tick(sink_.time);
  EXPECT_EQ(resolved(), Words(1030, "timed-out"));
  be_welcomed_at(kBrokerClock);
  std::vector<std::uint64_t> cancelled;
  for (std::size_t i = 0; i < sink_.sent.size(); ++i) {
    if (sink_.sent[i].first == Kind::kCancel) cancelled.push_back(sink_.ids[i]);
  }
  EXPECT_EQ(cancelled, std::vector(ids.begin() + 6, ids.end()));
}

TEST_F(ServicesStateTest, AStreamBringsEveryReplyAndThenItsEnd) {
  const std::uint64_t id = ask(Kind::kRequest, "bob", Replies::kMany);
  hear_reply("bob", id, "one", true);
  hear_reply("bob", id, "two", true);
  EXPECT_EQ(state_.unsettled(), 1u) << "its outcome: the envelope was taken";
  hear_reply("bob", id, "three");
  EXPECT_EQ(resolved(), (Words{"one…", "two…", "three"}));
  EXPECT_EQ(state_.statistics().delivered, 1u);
  EXPECT_EQ(state_.waiting_requests(), 0u);
}

TEST_F(ServicesStateTest, WhoeverWantsOneReplyGetsTheFirstAndCancelsTheRest) {
  const std::uint64_t id = ask(Kind::kRequest, "bob");
  hear_reply("bob", id, "one", true);
  EXPECT_EQ(resolved(), Words{"one"});
  EXPECT_EQ(sink_.sent.back().first, Kind::kCancel);
  hear_reply("bob", id, "two");
  EXPECT_EQ(state_.statistics().late_replies, 1u);
}

TEST_F(ServicesStateTest, TheBrokersClockGoesOnWithOurs) {
  EXPECT_EQ(state_.broker_time(sink_.time + milliseconds(250)), kBrokerClock + 250'000'000);
  EXPECT_EQ(state_.broker_time(sink_.time - milliseconds(1)), kBrokerClock - 1'000'000);
  EXPECT_EQ(state_.broker_time(Time::max()), 0u) << "no deadline";
}

TEST_F(ServicesStateTest, ARequestWhoseDeadlinePassedIsNotGivenToTheProgram) {
  hear(question(Kind::kRequest, 1, kBrokerClock - 1));
  EXPECT_FALSE(receive());
  EXPECT_EQ(state_.statistics().expired, 1u);
  sink_.time += seconds(1);
  state_.tick(sink_.time);
  EXPECT_EQ(last_ack().taken, 1u) << "it counts as taken";
}

TEST_F(ServicesStateTest, ARequestMayExpireInTheInbox) {
  hear(question(Kind::kCall, 1, kBrokerClock + 1'000'000));
  Keeper keeper;
  std::optional<Time> now;
  EXPECT_FALSE(state_.too_late(state_.inbox().give_one(keeper), now));
  EXPECT_EQ(now, sink_.time) << "for the next of the same batch";
  hear(question(Kind::kCall, 2, kBrokerClock + 1'000'000));
  sink_.time += milliseconds(2);
  ASSERT_TRUE(state_.has_deadlines());
  now.reset();
  EXPECT_TRUE(state_.too_late(state_.inbox().give_one(keeper), now));
  EXPECT_EQ(state_.statistics().expired, 1u);
}

TEST_F(ServicesStateTest, ACancelTakesARequestOutOfTheInbox) {
  auto frame = std::make_shared<ByteBuffer>();
  for (std::uint64_t id = 1; id <= 3; ++id) append_envelope(*frame, question(Kind::kRequest, id));
  append_envelope(*frame, {Kind::kCancel, "alice", "bob", 2, {}, {}, false});
  state_.handle(*frame, frame);
  EXPECT_EQ(receive()->id, 1u);
  EXPECT_EQ(receive()->id, 3u);
  EXPECT_FALSE(receive());
  EXPECT_TRUE(state_.cancellations().empty());
  EXPECT_EQ(state_.statistics().cancelled, 1u);
  state_.inbox().take();
  sink_.time += seconds(1);
  state_.tick(sink_.time);
  EXPECT_EQ(last_ack().taken, 4u) << "the cancel counts, too";
  EXPECT_EQ(state_.statistics().taken, 3u);
}

TEST_F(ServicesStateTest, ACancelOfTheOnlyRequestEmptiesTheInbox) {
  hear(question(Kind::kCall, 1));
  hear({Kind::kCancel, "alice", "bob", 1, {}, {}, false});
  EXPECT_TRUE(state_.inbox().empty());
  EXPECT_EQ(state_.statistics().taken, 1u);
}

TEST_F(ServicesStateTest, ACancelOfWhatTheProgramHasIsToldToIt) {
  hear(question(Kind::kRequest, 1));
  ASSERT_TRUE(receive());
  hear({Kind::kCancel, "alice", "bob", 1, {}, {}, false});
  ASSERT_EQ(state_.cancellations().size(), 1u);
  EXPECT_EQ(state_.cancellations().front().from, "bob");
  EXPECT_EQ(state_.cancellations().front().id, 1u);
}

TEST_F(ServicesStateTest, ACallSaysItsServiceAndItsAttempt) {
  EnvelopeFields fields = question(Kind::kCall, 9);
  fields.meta.again = 2;
  hear(fields);
  const auto message = receive();
  ASSERT_TRUE(message);
  EXPECT_EQ(message->kind, Kind::kCall);
  EXPECT_EQ(message->to, "sum");
  EXPECT_EQ(message->again, 2u);
}

TEST_F(ServicesStateTest, OffersAreSaidAgainToANewSessionAndMetadataIsInItsHello) {
  state_.offer({"sum", 4});
  state_.describe({{"room", "kitchen"}});
  EXPECT_EQ(sink_.bodies(Kind::kDescribe).size(), 1u);
  state_.lost("test");
  be_welcomed_at(kBrokerClock);
  const auto offers = sink_.bodies(Kind::kOffer);
  ASSERT_EQ(offers.size(), 2u);
  EXPECT_EQ(decode_offer(as_bytes(offers.back()))->capacity, 4u);
  EXPECT_EQ(sink_.bodies(Kind::kDescribe).size(), 1u);
  EXPECT_EQ(decode_hello(as_bytes(sink_.bodies(Kind::kHello).back()))->metadata.at("room"),
            "kitchen");
}

TEST_F(ServicesStateTest, ADeadlineThatTheBrokerKeepsIsATimeout) {
  const std::uint64_t id = ask(Kind::kRequest, "bob");
  hear_outcome(id, {.code = Outcome::kExpired});
  ASSERT_EQ(state_.resolved().size(), 1u);
  EXPECT_EQ(state_.resolved().front().answer.error().fault, Fault::kTimedOut);
}

}  // namespace
}  // namespace zpost::peer
