// Receiving through a fake broker: batches, taking, waking up.
#include <poll.h>

#include <atomic>
#include <thread>

#include "tests/peer/peer_fixture.h"

namespace zpost::peer {
namespace {

bool readable(int descriptor, std::chrono::milliseconds timeout) {
  pollfd one{descriptor, POLLIN, 0};
  return ::poll(&one, 1, static_cast<int>(timeout.count())) == 1;
}

class ReceivingTest : public PeerTest {
 protected:
  void send(int count, const std::string& to = "bob") {
    for (int i = 0; i < count; ++i) ASSERT_TRUE(alice_.send(to, as_bytes(std::to_string(sent_++))));
    alice_.flush();
  }

  Peer alice_ = connect("alice");
  int sent_ = 0;
};

TEST_F(ReceivingTest, ReceiveWaitsNoLongerThanAsked) {
  Peer bob = connect("bob");
  EXPECT_FALSE(bob.receive(0ms));
  EXPECT_FALSE(bob.receive(5ms));
  Batch batch;
  EXPECT_FALSE(bob.receive_batch(batch, 0ms));
  EXPECT_TRUE(batch.empty());
}

TEST_F(ReceivingTest, TheBrokerHearsOfTheDemand) {
  Options few = options("bob");
  few.demand = 3;
  few.take = TakeMode::kExplicit;
  Peer bob = connect(few);
  EXPECT_EQ(broker_.last_hello().demand, 3u);
  send(2);
  EXPECT_TRUE(bob.receive(kPatience));
  bob.take();
  ASSERT_TRUE(wait_until([&] { return broker_.last_ack("bob").taken == 1; }));
  EXPECT_EQ(broker_.last_ack("bob").demand, 3u);
  bob.add_demand(2);
  ASSERT_TRUE(wait_until([&] { return broker_.last_ack("bob").demand == 5; }));
}

TEST_F(ReceivingTest, ABatchBorrowsWhatArrivedUntilItIsReplaced) {
  Peer bob = connect("bob");
  send(3);
  Batch batch;
  std::vector<std::string> got;
  while (got.size() < 3) {
    ASSERT_TRUE(bob.receive_batch(batch, kPatience));
    for (const EnvelopeView& view : batch.envelopes()) got.emplace_back(as_text(view.body));
  }
  EXPECT_EQ(got, (Texts{"0", "1", "2"}));
}

TEST_F(ReceivingTest, ABatchOutlivesItsPeer) {
  Batch batch;
  {
    Peer bob = connect("bob");
    send(1);
    ASSERT_TRUE(bob.receive_batch(batch, kPatience));
  }
  Batch moved = std::move(batch);
  EXPECT_EQ(as_text(moved.envelopes()[0].body), "0");
}

TEST_F(ReceivingTest, ABatchHoldsAtMostWhatWasAskedFor) {
  Peer bob = connect("bob");
  send(10);
  std::vector<std::string> got;
  Batch batch;
  while (got.size() < 10) {
    ASSERT_TRUE(bob.receive_batch(batch, kPatience, 3));
    EXPECT_LE(batch.size(), 3u);
    for (const EnvelopeView& view : batch.envelopes()) got.emplace_back(as_text(view.body));
  }
  EXPECT_EQ(got.back(), "9");
}

TEST_F(ReceivingTest, ExplicitlyTakenMeansOnlyWhenTheProgramSaysSo) {
  Options explicit_take = options("bob");
  explicit_take.take = TakeMode::kExplicit;
  Peer bob = connect(explicit_take);
  send(2);
  EXPECT_EQ(texts(bob, 2), (Texts{"0", "1"}));
  EXPECT_FALSE(bob.receive(10ms));
  EXPECT_EQ(broker_.last_ack("bob").taken, 0u);
  bob.take();
  EXPECT_TRUE(alice_.wait_settled(kPatience));
  EXPECT_EQ(broker_.last_ack("bob").taken, 2u);
}

TEST_F(ReceivingTest, ASmallWindowIsAskedForAndNeverStalls) {
  Options small = options("bob");
  small.window_frames = 1;
  small.window_bytes = 1000;
  Peer bob = connect(small);
  EXPECT_EQ(broker_.last_hello().window_frames, 1u);
  EXPECT_EQ(broker_.last_hello().window_bytes, 1000u);
  send(100);
  EXPECT_EQ(texts(bob, 100).size(), 100u);
}

TEST_F(ReceivingTest, NothingTakenIsLeftUnacknowledgedForLong) {
  Peer bob = connect("bob");
  send(1);
  ASSERT_TRUE(bob.receive(kPatience));
  bob.take();
  EXPECT_TRUE(wait_until([&] { return broker_.last_ack("bob").taken == 1; }));
}

TEST_F(ReceivingTest, RunCallsBackUntilToldToStop) {
  Peer bob = connect("bob");
  send(5);
  int count = 0;
  bob.run([&](const EnvelopeView& view) {
    EXPECT_EQ(as_text(view.body), std::to_string(count));
    return ++count < 5;
  });
  EXPECT_EQ(count, 5);
  EXPECT_TRUE(alice_.wait_settled(kPatience)) << "taken when the callback returned";
}

TEST_F(ReceivingTest, TwoPeersFloodEachOtherFromCallbacksWithoutADeadlock) {
  Peer bob = connect("bob");
  const std::string body(200, 'x');
  constexpr int kCount = 3000;
  const auto flood = [&](Peer& self, const std::string& other) {
    int received = 0;
    int sent = 0;
    const auto push = [&] {
      while (sent < kCount && self.send(other, as_bytes(body))) ++sent;
    };
    while (sent < 10) sent += self.send(other, as_bytes(body)).has_value();
    self.run([&](const EnvelopeView&) {
      push();
      return ++received < kCount;
    });
    while (sent < kCount) sent += self.send(other, as_bytes(body)).has_value();
  };
  std::thread there([&] { flood(bob, "alice"); });
  flood(alice_, "bob");
  there.join();
}

TEST_F(ReceivingTest, TheDescriptorIsReadableWhileThereIsSomethingToFetch) {
  Peer bob = connect("bob");
  ASSERT_TRUE(bob.next_state(kPatience));
  const int descriptor = bob.descriptor();
  EXPECT_FALSE(readable(descriptor, 0ms));
  send(2);
  EXPECT_TRUE(readable(descriptor, kPatience));
  std::size_t count = 0;
  while (count < 2) {
    ASSERT_TRUE(readable(descriptor, kPatience)) << "level-triggered";
    while (bob.receive(0ms)) ++count;
  }
  EXPECT_FALSE(readable(descriptor, 0ms));
}

TEST_F(ReceivingTest, TheDescriptorTellsOfOutcomesAndStates) {
  Peer bob = connect("bob");
  ASSERT_TRUE(bob.next_state(kPatience));
  const int descriptor = bob.descriptor();
  ASSERT_TRUE(bob.send("nobody", as_bytes("x")));
  EXPECT_TRUE(readable(descriptor, kPatience));
  EXPECT_TRUE(bob.next_outcome(0ms));
  EXPECT_FALSE(readable(descriptor, 0ms));
  broker_.stop();
  EXPECT_TRUE(readable(descriptor, kPatience));
  EXPECT_EQ(bob.next_state(0ms)->state, StateChange::State::kLost);
}

TEST_F(ReceivingTest, AnInterruptEndsWhatIsBlocked) {
  Peer bob = connect("bob");
  std::atomic<int> ended{0};
  std::vector<std::thread> threads;
  threads.emplace_back([&] { ended += bob.receive(kForever) ? 100 : 1; });
  threads.emplace_back([&] { ended += bob.next_outcome(kForever) ? 100 : 1; });
  while (bob.next_state(0ms)) {
  }
  threads.emplace_back([&] { ended += bob.next_state(kForever) ? 100 : 1; });
  // Whoever blocks only afterwards is not meant: ask until all have.
  ASSERT_TRUE(wait_until([&] {
    bob.interrupt();
    return ended == 3;
  }));
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(bob.connected());
}

TEST_F(ReceivingTest, AnInterruptJustBeforeACallIsNotMissed) {
  Peer bob = connect("bob");
  bob.interrupt();
  EXPECT_FALSE(bob.receive(kForever));
}

TEST_F(ReceivingTest, AnInterruptIsNotSpentOnWhoWouldNotBlock) {
  Peer bob = connect("bob");
  bob.interrupt();
  EXPECT_FALSE(bob.next_outcome(0ms));
  while (bob.next_state(0ms)) {
  }
  EXPECT_FALSE(bob.receive(kForever));
}

TEST_F(ReceivingTest, AnInterruptEndsRun) {
  Peer bob = connect("bob");
  send(1);
  bob.run([&](const EnvelopeView&) {
    bob.interrupt();
    return true;
  });
  EXPECT_TRUE(bob.connected());
}

TEST_F(ReceivingTest, PresenceIsToldToWhoWatches) {
  ASSERT_TRUE(alice_.watch("b*"));
  EXPECT_EQ(alice_.watch("no such!").error().fault, Fault::kInvalid);
  ASSERT_TRUE(wait_until([&] { return broker_.count_control(Kind::kWatch, "alice") == 1; }));
  const ByteBuffer body = encode(Presence{"joined", "bob", "", "", {{"display", "Bob"}}});
  EnvelopeFields fields;
  fields.kind = Kind::kPresence;
  fields.to = "alice";
  fields.body = body;
  broker_.send("alice", {fields});
  const auto change = alice_.next_presence(kPatience);
  ASSERT_TRUE(change);
  EXPECT_EQ(change->event, "joined");
  EXPECT_EQ(change->peer, "bob");
  EXPECT_EQ(change->metadata.at("display"), "Bob");
  EXPECT_TRUE(wait_until([&] { return broker_.last_ack("alice").taken == 1; }));
}

TEST_F(ReceivingTest, OutcomesAndMessagesMayShareAFrame) {
  Peer bob = connect("bob");
  broker_.stall("stone");
  const auto id = bob.send("stone", as_bytes("x"));
  ASSERT_TRUE(id);
  ASSERT_TRUE(wait_until([&] { return broker_.seen_count() == 1; }));
  EnvelopeFields message;
  message.to = "bob";
  message.from = "alice";
  message.id = 1;
  message.body = as_bytes("hello");
  const ByteBuffer notice = encode(OutcomeNotice{Outcome::kLost, "stone", "gone"});
  EnvelopeFields outcome;
  outcome.kind = Kind::kOutcome;
  outcome.to = "bob";
  outcome.id = *id;
  outcome.body = notice;
  broker_.send("bob", {message, outcome});
  EXPECT_EQ(bob.next_outcome(kPatience)->outcome, Outcome::kLost)
      << "heard though the message before it was not fetched";
  EXPECT_EQ(texts(bob, 1), Texts{"hello"});
}

TEST_F(ReceivingTest, ATextThatIsNoUtf8ComesAsBytes) {
  Peer bob = connect("bob");
  EnvelopeFields message;
  message.to = "bob";
  message.from = "mallory";
  message.id = 1;
  message.body = as_bytes("\xff\xfe");
  message.body_is_text = true;
  broker_.send("bob", {message});
  const auto received = bob.receive(kPatience);
  ASSERT_TRUE(received);
  EXPECT_FALSE(received->body_is_text);
  EXPECT_EQ(received->text(), "\xff\xfe");
}

}  // namespace
}  // namespace zpost::peer
