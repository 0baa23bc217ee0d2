// The gateway and the core together, with bare DEALERs that misbehave.
#include "broker/net/gateway.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "broker/core/router.h"
#include "broker/net/clock.h"
#include "tests/support/dealer.h"
#include "tests/support/raw_peer.h"
#include "tests/support/wait_until.h"

namespace zpost::net {
namespace {

using test::Dealer;
using test::Frame;
using test::identity_of;

core::Limits small_limits() {
  core::Limits limits;
  limits.max_envelope = 64 << 10;
  limits.credit_initial = 256 << 10;
  limits.credit_max = 256 << 10;
  limits.peers = 20;
  limits.simple_away_ns = core::kSecond;
  return limits;
}

/// A broker's loop, one turn at a time, on the test's own thread.
class GatewayTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto endpoint = gateway_.listen(*parse_endpoint("tcp://127.0.0.1:*"));
    ASSERT_TRUE(endpoint.has_value()) << endpoint.error().text;
    endpoint_ = *endpoint;
  }

  void turn() {
    now_ = read_clocks();
    for (int i = 0; i < 256; ++i) {
      const Incoming incoming = gateway_.receive(now_);
      if (incoming.kind == Incoming::Kind::kDry) break;
      step(incoming);
    }
    for (const ConnectionId id : gateway_.take_gone(now_)) {
      ++gone_;
      router_.on_disconnected(id, now_, out_);
      apply(nullptr);
    }
    router_.tick(now_, out_);
    apply(nullptr);
    router_.flush(now_, out_);
    apply(nullptr);
    router_.on_executed({}, now_, out_);
    apply(nullptr);
  }

  void step(const Incoming& incoming) {
    if (incoming.forgotten != kNone) router_.on_connection_forgotten(incoming.forgotten);
    if (incoming.handover) {
      ++handovers_;
      router_.on_handover(incoming.connection, now_, out_);
      apply(&incoming);
    }
    if (incoming.kind == Incoming::Kind::kFrame) {
      ++frames_;
      router_.on_frame(incoming.connection, incoming.name, incoming.bytes, now_, out_);
    } else if (incoming.kind == Incoming::Kind::kMultipart) {
      router_.on_multipart(incoming.connection, now_, out_);
    } else if (incoming.kind == Incoming::Kind::kBadIdentity) {
      router_.on_bad_identity(incoming.connection, now_, out_);
    }
    apply(&incoming);
  }

  void apply(const Incoming* incoming) {
    gateway_.execute(out_, incoming, now_);
    for (const core::LogLine& line : out_.log) log_ += line.text + "\n";
    out_.clear();
    const std::vector<core::Blocked> blocked(gateway_.blocked().begin(), gateway_.blocked().end());
    for (const core::Blocked& block : blocked) blocked_bundles_ += block.bundles;
    for (const ConnectionId id : gateway_.unreachable()) {
      router_.on_disconnected(id, now_, out_);
    }
    if (!blocked.empty()) router_.on_executed(blocked, now_, out_);
    if (!out_.list.empty()) apply(nullptr);
  }

  template <typename Condition>
  [[nodiscard]] bool turn_until(Condition condition) {
    return test::wait_until([&] {
      turn();
      return condition();
    });
  }

  /// The next frame that `dealer` gets.
  Frame next_frame(Dealer& dealer) {
    std::optional<Frame> frame;
    EXPECT_TRUE(turn_until([&] { return (frame = dealer.receive()).has_value(); }));
    return frame.value_or(Frame{});
  }

  /// Until `dealer` gets an envelope of this kind; its body.
  std::optional<ByteBuffer> body_of_next(Dealer& dealer, Kind kind) {
    std::optional<ByteBuffer> body;
    const bool found = turn_until([&] {
      while (const auto frame = dealer.receive()) {
        const EnvelopeView* const view = frame->find(kind);
        if (view == nullptr) continue;
        body.emplace(view->body.begin(), view->body.end());
        return true;
      }
      return false;
    });
    EXPECT_TRUE(found) << kind_name(kind) << " did not come";
    return body;
  }

  Outcome refusal(Dealer& dealer) {
    const auto body = body_of_next(dealer, Kind::kRefused);
    const auto refusal = body ? decode_refusal(*body) : Error{};
    return refusal ? refusal->code : Outcome::kNone;
  }

  void welcome(Dealer& dealer, std::string_view name) {
    dealer.connect(endpoint_);
    ASSERT_TRUE(dealer.hello(name));
    const auto body = body_of_next(dealer, Kind::kWelcome);
    ASSERT_TRUE(body.has_value());
    first_id_ = decode_welcome(*body)->first_id;
  }

  void say_hello(test::RawPeer& peer, std::string_view name) {
    Hello hello;
    hello.instance = std::string(32, 'a');
    const ByteBuffer body = encode(hello);
    ByteBuffer frame;
    append_envelope(frame, {.kind = Kind::kHello, .from = name, .body = body});
    peer.part(as_text(frame), false);
    ASSERT_TRUE(turn_until([&] { return peer.write() && router_.sessions() == 1; }));
  }

  core::Limits limits_ = small_limits();
  core::Router router_{limits_, {"zpost", std::string(32, '0'), 0}};
  Gateway gateway_{SocketSettings{}, limits_};
  std::string endpoint_;
  core::Now now_;
  core::Actions out_;
  std::string log_;
  int handovers_ = 0;
  int gone_ = 0;
  int frames_ = 0;
  std::uint64_t blocked_bundles_ = 0;
  std::uint64_t first_id_ = 0;
};

TEST_F(GatewayTest, TheSelfTestPasses) {
  const auto good = gateway_.check();
  EXPECT_TRUE(good.has_value()) << good.error().text;
}

TEST_F(GatewayTest, APortIsPickedAndReported) {
  EXPECT_EQ(endpoint_.find("tcp://127.0.0.1:"), 0u);
  EXPECT_EQ(endpoint_.find('*'), std::string::npos);
}

TEST_F(GatewayTest, AnEndpointInUseIsRefusedWithAHint) {
  const auto again = gateway_.listen(*parse_endpoint(endpoint_));
  ASSERT_FALSE(again.has_value());
  EXPECT_NE(again.error().text.find(endpoint_), std::string::npos);
  EXPECT_NE(again.error().text.find("--listen"), std::string::npos);
}

TEST_F(GatewayTest, ASocketFileInUseIsNotTakenAway) {
  const std::string path = "ipc://" + testing::TempDir() + "zpost-gateway-test";
  ASSERT_TRUE(gateway_.listen(*parse_endpoint(path)).has_value());
  Gateway other(SocketSettings{}, limits_);
  EXPECT_FALSE(other.listen(*parse_endpoint(path)).has_value());
}

TEST_F(GatewayTest, PeersOverTcpAndIpcTalkToEachOther) {
  const std::string path = "ipc://" + testing::TempDir() + "zpost-gateway-test-ipc";
  ASSERT_TRUE(gateway_.listen(*parse_endpoint(path)).has_value());
  Dealer alice(identity_of("alice", 1));
  welcome(alice, "alice");
  const std::uint64_t first_id = first_id_;
  Dealer bob(identity_of("bob", 2));
  endpoint_ = path;
  welcome(bob, "bob");

  alice.send({.kind = Kind::kSend,
              .to = "bob",
              .from = "alice",
              .id = first_id,
              .body = as_bytes("hello")});
  const auto body = body_of_next(bob, Kind::kSend);
  ASSERT_TRUE(body.has_value());
  EXPECT_EQ(as_text(*body), "hello");
}

TEST_F(GatewayTest, ABadIdentityIsToldWhatItShouldBe) {
  for (const auto* const identity : {"alice", "alice~123", "~00000000000000000000000000000001"}) {
    Dealer dealer(identity);
    dealer.connect(endpoint_);
    dealer.hello("alice");
    EXPECT_EQ(refusal(dealer), Outcome::kBadIdentity) << identity;
  }
}

TEST_F(GatewayTest, SeveralPartsAreMalformedAndEndTheSessionAndItsConnection) {
  Dealer alice(identity_of("alice"));
  alice.set(ZMQ_RECONNECT_IVL, -1);
  welcome(alice, "alice");
  alice.watch();
  alice.send(as_bytes("one"), ZMQ_SNDMORE);
  alice.send(as_bytes("two"));
  EXPECT_EQ(refusal(alice), Outcome::kMalformed);
  EXPECT_EQ(router_.sessions(), 0u);
  EXPECT_TRUE(turn_until([&] { return alice.lost(); })) << "its descriptor should be shut down";
  EXPECT_TRUE(turn_until([&] { return gone_ == 1; }));
  alice.unwatch();
}

TEST_F(GatewayTest, AfterItsEndAConnectionsFramesAreIgnored) {
  Dealer alice(identity_of("alice"));
  welcome(alice, "alice");
  alice.send(as_bytes("\xc1"));
  EXPECT_EQ(refusal(alice), Outcome::kMalformed);
  alice.hello("alice");
  Dealer bob(identity_of("bob"));
  welcome(bob, "bob");  // Later than what alice sent.
  EXPECT_EQ(router_.sessions(), 1u);
}

TEST_F(GatewayTest, AVeryLongMultipartMessageIsReadInSteps) {
  Dealer alice(identity_of("alice", 1));
  welcome(alice, "alice");
  for (int i = 0; i < 10'000; ++i) alice.send(as_bytes("part"), ZMQ_SNDMORE);
  alice.send(as_bytes("last"));
  EXPECT_EQ(refusal(alice), Outcome::kMalformed);
  Dealer bob(identity_of("bob", 2));
  welcome(bob, "bob");
}

TEST_F(GatewayTest, AMessageOfEndlessPartsIsCutOff) {
  test::RawPeer mallory(endpoint_, identity_of("mallory"));
  const std::string part(64 << 10, 'x');
  // Far beyond what a peer may have on its way; none of it can be read before the last part.
  for (int i = 0; i < 256; ++i) mallory.part(part, true);
  EXPECT_TRUE(turn_until([&] {
    mallory.write();
    gateway_.expel_hoarders(now_);
    return mallory.closed();
  }));
  EXPECT_EQ(frames_, 0);
  std::string lines;
  for (const core::LogLine& line : gateway_.take_log()) lines += line.text;
  EXPECT_NE(lines.find("expelled"), std::string::npos);
}

TEST_F(GatewayTest, AMessageOfEndlessTinyPartsIsCutOffThoughItsPeerHasCredit) {
  test::RawPeer mallory(endpoint_, identity_of("mallory"));
  say_hello(mallory, "mallory");
  // Not more than its credit; but what cannot be read once the socket ran dry is no envelope.
  for (int i = 0; i < 280'000; ++i) mallory.part("", true);
  EXPECT_TRUE(turn_until([&] {
    mallory.write();
    gateway_.expel_hoarders(now_);
    return mallory.closed();
  }));
}

TEST_F(GatewayTest, HeartbeatsDoNotAddUpToAHoard) {
  test::RawPeer alice(endpoint_, identity_of("alice"));
  say_hello(alice, "alice");
  ByteBuffer ping;
  append_envelope(ping, {.kind = Kind::kPing, .from = "alice", .body = as_bytes("hi")});
  for (int round = 0; round < 60; ++round) {
    for (int i = 0; i < 4'000; ++i) alice.heartbeat();
    ASSERT_TRUE(turn_until([&] { return alice.write(); }));
    static_cast<void>(gateway_.keep_house(now_));
    turn();
    const int before = frames_;
    alice.part(as_text(ping), false);
    ASSERT_TRUE(turn_until([&] { return alice.write() && frames_ > before; }));
  }
  gateway_.expel_hoarders(now_);
  turn();
  gateway_.expel_hoarders(now_);
  EXPECT_TRUE(gateway_.take_log().empty());
}

TEST_F(GatewayTest, AnHonestPeerIsNoHoarder) {
  Dealer alice(identity_of("alice"));
  welcome(alice, "alice");
  alice.watch();
  for (int i = 0; i < 50; ++i) {
    alice.send({.kind = Kind::kPing, .from = "alice", .body = as_bytes("hi")});
    turn();
    gateway_.expel_hoarders(now_);
  }
  EXPECT_TRUE(gateway_.take_log().empty());
  EXPECT_FALSE(alice.lost());
  alice.unwatch();
}

TEST_F(GatewayTest, ChoresFindNothingToDoOnceItIsClosed) {
  Dealer alice(identity_of("alice"));
  welcome(alice, "alice");
  alice.close();
  EXPECT_TRUE(turn_until([&] { return gone_ == 1; }));
  gateway_.close(0);
  gateway_.expel_hoarders(now_);
  gateway_.give_back_memory();
  EXPECT_TRUE(gateway_.take_gone(now_).empty());
  EXPECT_TRUE(gateway_.take_log().empty());
}

TEST_F(GatewayTest, AnotherConnectionUnderTheIdentityMustSayHelloAgain) {
  auto first = std::make_unique<Dealer>(identity_of("alice"));
  first->set(ZMQ_RECONNECT_IVL, -1);
  welcome(*first, "alice");
  first->watch();

  Dealer second(identity_of("alice"));
  second.connect(endpoint_);
  second.send({.kind = Kind::kPing, .from = "alice"});
  EXPECT_EQ(refusal(second), Outcome::kNotWelcomed);
  EXPECT_EQ(handovers_, 1);
  EXPECT_TRUE(turn_until([&] { return first->lost(); })) << "libzmq would leave it open, unread";
  first->unwatch();

  second.hello("alice");
  EXPECT_TRUE(body_of_next(second, Kind::kWelcome).has_value());
  EXPECT_EQ(router_.sessions(), 1u);
}

TEST_F(GatewayTest, FramesReadAfterTheEndOfAConnectionStillCount) {
  constexpr int kFrames = 500;
  Dealer alice(identity_of("alice"));
  welcome(alice, "alice");
  frames_ = 0;
  for (int i = 0; i < kFrames; ++i) alice.send({.kind = Kind::kPing, .from = "alice"});
  alice.close(10'000);  // Returns when all is with the kernel.
  EXPECT_TRUE(turn_until([&] { return frames_ == kFrames; }));
  EXPECT_TRUE(turn_until([&] { return log_.find("away name=alice") != std::string::npos; }));
}

TEST_F(GatewayTest, AFullPipeIsReportedAndLosesNothing) {
  constexpr std::uint64_t kEnvelopes = 300;
  Dealer alice(identity_of("alice", 1));
  welcome(alice, "alice");
  const std::uint64_t first_id = first_id_;
  Dealer bob(identity_of("bob", 2));
  bob.set(ZMQ_RCVHWM, 1);
  bob.set(ZMQ_RCVBUF, 4096);
  welcome(bob, "bob");

  // Bob does not read; alice has all the credit in the world, told by receipts as bob's pipe fills.
  const std::string large(30'000, 'x');
  std::uint64_t sent = 0;
  std::uint64_t settled = 0;
  std::vector<std::uint64_t> got;
  const auto pump = [&] {
    while (const auto frame = alice.receive()) {
      if (const EnvelopeView* const view = frame->find(Kind::kReceipt)) {
        const auto receipt = decode_receipt(view->body);
        for (const ReceiptEntry& entry : receipt->entries) settled = entry.id - first_id + 1;
      }
    }
    while (sent < kEnvelopes && sent - settled < 2) {
      alice.send({.kind = Kind::kSend,
                  .to = "bob",
                  .from = "alice",
                  .id = first_id + sent,
                  .body = as_bytes(large)});
      ++sent;
    }
  };
  EXPECT_TRUE(turn_until([&] {
    pump();
    return blocked_bundles_ > 0;
  }));
  EXPECT_TRUE(turn_until([&] {
    pump();
    while (const auto frame = bob.receive()) {
      for (const EnvelopeView& view : frame->envelopes) {
        if (view.kind() == Kind::kSend) got.push_back(view.id);
      }
    }
    return got.size() == kEnvelopes;
  }));
  for (std::size_t i = 0; i < got.size(); ++i) ASSERT_EQ(got[i], first_id + i) << i;
}

TEST_F(GatewayTest, ADeadPeerWithAFullPipeIsNoticed) {
  Dealer alice(identity_of("alice", 1));
  welcome(alice, "alice");
  const std::uint64_t first_id = first_id_;
  auto bob = std::make_unique<Dealer>(identity_of("bob", 2));
  bob->set(ZMQ_RCVHWM, 1);
  bob->set(ZMQ_RCVBUF, 4096);
  welcome(*bob, "bob");

  const std::string large(30'000, 'x');
  std::uint64_t sent = 0;
  EXPECT_TRUE(turn_until([&] {
    while (alice.receive()) {
    }
    alice.send({.kind = Kind::kSend,
                .to = "bob",
                .from = "alice",
                .id = first_id + sent++,
                .body = as_bytes(large)});
    return blocked_bundles_ > 0;
  }));
  bob.reset();
  EXPECT_TRUE(turn_until([&] { return log_.find("away name=bob") != std::string::npos; }));
}

TEST_F(GatewayTest, SlotsOfThoseWhoLeftAreUsedAgain) {
  for (unsigned i = 1; i <= 3 * 2 * 20; ++i) {
    Dealer dealer(identity_of("p" + std::to_string(i), i));
    welcome(dealer, "p" + std::to_string(i));
    dealer.send({.kind = Kind::kGoodbye, .from = "p" + std::to_string(i)});
    ASSERT_TRUE(turn_until([&] { return router_.sessions() == 0; }));
    gone_ = 0;
    dealer.close();
    ASSERT_TRUE(turn_until([&] { return gone_ == 1; }));
  }
}

TEST_F(GatewayTest, WhoHasBeenGoneForASecondIsForgotten) {
  {
    Dealer alice(identity_of("alice", 1));
    welcome(alice, "alice");
  }
  ASSERT_TRUE(turn_until([&] { return gone_ == 1; }));
  turn();  // Nothing of it is left to be read.
  core::Now later = now_;
  later.steady_ns += 2 * core::kSecond;
  EXPECT_EQ(gateway_.keep_house(later).size(), 1u);
  EXPECT_TRUE(gateway_.keep_house(later).empty());
}

TEST_F(GatewayTest, AFullTableIsToldWithItsRealSize) {
  std::vector<std::unique_ptr<Dealer>> dealers;
  EXPECT_TRUE(turn_until([&] {
    if (dealers.size() <= 2 * limits_.peers) {
      const auto number = static_cast<unsigned>(dealers.size());
      dealers.push_back(
          std::make_unique<Dealer>(identity_of("p" + std::to_string(number), number)));
      dealers.back()->connect(endpoint_);
      dealers.back()->hello("p" + std::to_string(number));
    }
    static_cast<void>(gateway_.keep_house(now_));
    for (const core::LogLine& line : gateway_.take_log()) log_ += line.text + "\n";
    return log_.find("connection_refused") != std::string::npos;
  }));
  EXPECT_NE(log_.find("table of 40 connections"), std::string::npos) << log_;
  EXPECT_NE(log_.find("limits.peers, which is 20"), std::string::npos) << log_;
}

TEST_F(GatewayTest, NoTokenIsInTheLog) {
  const std::string identity = identity_of("alice", 0xabcdef12);
  Dealer alice(identity);
  welcome(alice, "alice");
  alice.send(as_bytes("\xc1"));
  refusal(alice);
  Dealer bad(identity.substr(6) + "~");
  bad.connect(endpoint_);
  bad.hello("bad");
  refusal(bad);
  EXPECT_NE(log_.find("alice"), std::string::npos);
  EXPECT_EQ(log_.find("abcdef12"), std::string::npos) << log_;
}

}  // namespace
}  // namespace zpost::net
