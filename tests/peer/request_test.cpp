// Requests and replies through a fake broker.
#include <atomic>
#include <future>
#include <thread>

#include "tests/peer/peer_fixture.h"
#include "zpost/protocol/msgpack_writer.h"

namespace zpost::peer {
namespace {

class RequestTest : public PeerTest {
 protected:
  Peer alice_ = connect("alice");
  Peer bob_ = connect("bob");
};

TEST_F(RequestTest, AReplyResolvesTheFuture) {
  auto answer = alice_.request("bob", as_bytes("how are you?"), kPatience);
  const auto question = bob_.receive(kPatience);
  ASSERT_TRUE(question);
  EXPECT_EQ(question->kind, Kind::kRequest);
  ASSERT_TRUE(bob_.reply(*question, as_bytes("fine")));
  const Answer<Message> reply = answer.get();
  ASSERT_TRUE(reply) << reply.error().text;
  EXPECT_EQ(reply->text(), "fine");
  EXPECT_EQ(reply->in_reply_to, question->id);
  EXPECT_EQ(alice_.statistics().unsettled, 0u);
  EXPECT_FALSE(alice_.receive(0ms)) << "replies to requests are not received besides";
}

TEST_F(RequestTest, ARejectionFailsTheRequestWithTheReason) {
  auto answer = alice_.request("bob", as_bytes("may I?"), kPatience);
  const auto question = bob_.receive(kPatience);
  ASSERT_TRUE(question);
  ASSERT_TRUE(bob_.reject(question->from, question->id, "not today"));
  const Answer<Message> reply = answer.get();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().fault, Fault::kFailed);
  EXPECT_EQ(reply.error().outcome, Outcome::kRejected);
  EXPECT_EQ(reply.error().text, "not today");
}

TEST_F(RequestTest, AFailureOnTheWayFailsTheRequest) {
  const Answer<Message> reply = alice_.request("nobody", as_bytes("hello?"), kPatience).get();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().fault, Fault::kFailed);
  EXPECT_EQ(reply.error().outcome, Outcome::kNoPeer);
  EXPECT_TRUE(alice_.wait_settled(kPatience));
  EXPECT_FALSE(alice_.next_outcome(0ms)) << "told to whoever asked, not besides";
}

TEST_F(RequestTest, ADeadlineThatPassesTimesOutAndALateReplyIsCounted) {
  const Answer<Message> reply = alice_.request("bob", as_bytes("hello?"), 20ms).get();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().fault, Fault::kTimedOut);
  EXPECT_EQ(reply.error().outcome, Outcome::kTimedOut);
  const auto question = bob_.receive(kPatience);
  ASSERT_TRUE(question);
  ASSERT_TRUE(bob_.reply(*question, as_bytes("too late")));
  EXPECT_TRUE(wait_until([&] { return alice_.statistics().late_replies == 1; }));
  EXPECT_TRUE(wait_until([&] { return broker_.count_control(Kind::kCancel, "alice") == 1; }));
}

TEST_F(RequestTest, SomebodyElsesReplyIsNoReply) {
  Peer mallory = connect("mallory");
  auto answer = alice_.request("bob", as_bytes("secret?"), kPatience);
  const auto question = bob_.receive(kPatience);
  ASSERT_TRUE(question);
  ASSERT_TRUE(mallory.reply("alice", question->id, as_bytes("forged")));
  ASSERT_TRUE(wait_until([&] { return alice_.statistics().late_replies == 1; }));
  ASSERT_TRUE(bob_.reply(*question, as_bytes("genuine")));
  EXPECT_EQ(answer.get()->text(), "genuine");
}

TEST_F(RequestTest, ACallbackIsCalledExactlyOnce) {
  std::atomic<int> calls{0};
  const auto id = alice_.request("nobody", as_bytes("x"), kPatience, [&](const Answer<Message>& a) {
    EXPECT_FALSE(a);
    ++calls;
  });
  ASSERT_TRUE(id);
  EXPECT_TRUE(wait_until([&] { return calls == 1; }));
  const auto invalid = alice_.request("not a name", as_bytes("x"), kPatience,
                                      [&](const Answer<Message>&) { ++calls; });
  EXPECT_FALSE(invalid);
  alice_.close(1s);
  EXPECT_EQ(calls, 1);
}

TEST_F(RequestTest, ManyRequestsRunAtOnce) {
  std::thread server([&] {
    for (int i = 0; i < 300; ++i) {
      const auto question = bob_.receive(kPatience);
      ASSERT_TRUE(question);
      ASSERT_TRUE(bob_.reply(*question, question->body));
    }
  });
  std::vector<std::future<Answer<Message>>> answers;
  for (int i = 0; i < 300; ++i) {
    answers.push_back(alice_.request("bob", as_bytes(std::to_string(i)), kPatience));
  }
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(answers[static_cast<std::size_t>(i)].get()->text(), std::to_string(i));
  }
  server.join();
}

TEST_F(RequestTest, CloseFailsWhatStillWaits) {
  auto answer = alice_.request("bob", as_bytes("hello?"), kPatience);
  EXPECT_FALSE(alice_.close(10ms));
  const Answer<Message> reply = answer.get();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().fault, Fault::kClosed);
}

TEST_F(RequestTest, ARequestToTheBrokerNeedsNoReceipt) {
  const Answer<Message> reply = alice_.request("", as_bytes("echo"), kPatience).get();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->text(), "echo");
  EXPECT_EQ(reply->from, "");
}

/// The body of a page of `who` that says there is another.
ByteBuffer page_before(std::uint64_t next) {
  ByteBuffer body;
  MsgpackWriter writer(body);
  writer.map(2).str("peers").array(0);
  writer.str("next").uint(next);
  return body;
}

TEST_F(RequestTest, TheTimeForWhoIsForAllItsPages) {
  broker_.stall("");
  std::atomic<bool> ended{false};
  std::thread asker([&] {
    EXPECT_EQ(alice_.who(300ms).error().fault, Fault::kTimedOut);
    ended = true;
  });
  // Another page whenever one is asked for, each in much less than the time for all.
  for (std::size_t pages = 0; !ended && pages < 200; ++pages) {
    if (!wait_until([&] { return ended || broker_.seen_count() > pages; })) break;
    std::this_thread::sleep_for(20ms);
    const ByteBuffer body = page_before(pages == 199 ? 0 : pages + 1);
    EnvelopeFields reply;
    reply.kind = Kind::kReply;
    reply.to = "alice";
    reply.id = 1;
    reply.meta.in_reply_to = broker_.seen().back().id;
    reply.body = body;
    broker_.send("alice", {reply});
  }
  asker.join();
}

}  // namespace
}  // namespace zpost::peer
