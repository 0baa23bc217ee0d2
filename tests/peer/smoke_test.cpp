#include <gtest/gtest.h>

#include "tests/peer/fake_broker.h"
#include "zpost/peer/peer.h"

namespace zpost::peer {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::FakeBroker;
using test::wait_until;

Peer connect(const FakeBroker& broker, std::string name, Options options = {}) {
  options.endpoint = broker.endpoint();
  options.name = std::move(name);
  Answer<Peer> peer = Peer::connect(std::move(options));
  if (!peer) throw std::runtime_error(peer.error().text);
  return std::move(*peer);
}

TEST(Smoke, AMessageArrivesAndIsSettled) {
  FakeBroker broker;
  Peer alice = connect(broker, "alice");
  Peer bob = connect(broker, "bob");
  ASSERT_TRUE(alice.send("bob", as_bytes("hello")));
  const auto message = bob.receive(seconds(5));
  ASSERT_TRUE(message);
  EXPECT_EQ(message->text(), "hello");
  EXPECT_EQ(message->from, "alice");
  EXPECT_FALSE(alice.wait_settled(milliseconds(50)));
  bob.take();
  EXPECT_TRUE(alice.wait_settled(seconds(5)));
  EXPECT_TRUE(alice.close(seconds(1)));
  EXPECT_EQ(broker.violations(), 0u);
}

TEST(Smoke, ManyMessages) {
  FakeBroker broker;
  Peer alice = connect(broker, "alice");
  Peer bob = connect(broker, "bob");
  constexpr int kCount = 200'000;
  std::thread sender([&] {
    std::vector<Bytes> bodies(
        100, as_bytes("0123456789012345678901234567890123456789012345678901234567890123"));
    for (int i = 0; i < kCount / 100; ++i) ASSERT_TRUE(alice.send("bob", bodies));
  });
  std::size_t got = 0;
  Batch batch;
  while (got < kCount && bob.receive_batch(batch, seconds(5))) got += batch.size();
  sender.join();
  EXPECT_EQ(got, kCount);
  EXPECT_TRUE(bob.close(seconds(1)));
  EXPECT_TRUE(alice.wait_settled(seconds(5)));
  EXPECT_EQ(broker.violations(), 0u);
}

}  // namespace
}  // namespace zpost::peer
