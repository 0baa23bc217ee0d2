#include "broker/net/connections.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/dealer.h"

namespace zpost::net {
namespace {

using What = ConnectionEvent::What;
using test::identity_of;

class ConnectionsTest : public testing::Test {
 protected:
  static constexpr std::int64_t kNow = 100 * core::kSecond;

  /// A connection is accepted on `fd` and speaks for the first time.
  ConnectionId speak(const std::string& identity, int fd) {
    accept(fd);
    const Connections::Made made = table_.make(identity);
    forgotten_ = made.forgotten;
    if (made.id != kNone) link(made.id, fd);
    return made.id;
  }

  void accept(int fd) { table_.on_event({What::kAccepted, fd, ++generation(fd)}); }

  void disconnect(int fd) { table_.on_event({What::kDisconnected, fd, generation(fd)}); }

  Anchor link(ConnectionId id, int fd) {
    zmq_msg_t kept;
    zmq_msg_init(&kept);
    const Anchor anchor = &anchors_[next_anchor_++ * 64];
    table_.link(id, fd, anchor, kept);
    zmq_msg_close(&kept);
    return anchor;
  }

  std::vector<ConnectionId> gone(std::int64_t now = kNow) {
    std::vector<ConnectionId> ids;
    table_.take_gone(now, ids);
    return ids;
  }

  Connections table_{4};
  ConnectionId forgotten_ = kNone;

  std::uint32_t& generation(int fd) { return generations_[static_cast<std::size_t>(fd)]; }

  std::vector<std::uint32_t> generations_ = std::vector<std::uint32_t>(16);
  std::string anchors_ = std::string(64 * 64, ' ');
  std::size_t next_anchor_ = 0;
};

using Ids = std::vector<ConnectionId>;

TEST_F(ConnectionsTest, AConnectionIsFoundByItsAnchorAndItsIdentity) {
  const ConnectionId alice = speak(identity_of("alice"), 5);
  EXPECT_EQ(table_.find(table_[alice].anchor), alice);
  EXPECT_EQ(table_.find(identity_of("alice")), alice);
  EXPECT_EQ(table_[alice].name, "alice");
  EXPECT_EQ(table_.find(identity_of("bob")), kNone);
}

TEST_F(ConnectionsTest, WhatGoesAwayIsToldOnce) {
  const ConnectionId alice = speak(identity_of("alice"), 5);
  disconnect(5);
  EXPECT_EQ(gone(), Ids{alice});
  EXPECT_EQ(gone(), Ids{});
}

TEST_F(ConnectionsTest, AReusedDescriptorDoesNotEndTheNewConnection) {
  const ConnectionId alice = speak(identity_of("alice"), 5);
  disconnect(5);
  const ConnectionId bob = speak(identity_of("bob"), 5);
  EXPECT_EQ(gone(), Ids{alice});
  disconnect(5);
  EXPECT_EQ(gone(), Ids{bob});
}

TEST_F(ConnectionsTest, AConnectionThatEndedBeforeItsFirstFrameWasReadIsGoneAtOnce) {
  accept(5);
  disconnect(5);
  const Connections::Made made = table_.make(identity_of("alice"));
  link(made.id, 5);
  EXPECT_EQ(gone(), Ids{made.id});
}

TEST_F(ConnectionsTest, AnotherConnectionUnderTheIdentityIsNotEndedByTheFirstOnesEnd) {
  const ConnectionId alice = speak(identity_of("alice"), 5);
  accept(6);
  link(alice, 6);
  disconnect(5);
  EXPECT_EQ(gone(), Ids{});
  disconnect(6);
  EXPECT_EQ(gone(), Ids{alice});
}

TEST_F(ConnectionsTest, AnEndThatIsKnownButNotToldDoesNotHitTheNextConnection) {
  const ConnectionId alice = speak(identity_of("alice"), 5);
  disconnect(5);
  accept(6);
  link(alice, 6);
  EXPECT_EQ(gone(), Ids{});
}

TEST_F(ConnectionsTest, AnOldAnchorIsForgotten) {
  const ConnectionId alice = speak(identity_of("alice"), 5);
  const Anchor old = table_[alice].anchor;
  accept(6);
  link(alice, 6);
  EXPECT_EQ(table_.find(old), kNone);
}

TEST_F(ConnectionsTest, AGoneSlotIsKeptForASecondAndUntilTheSocketRanDry) {
  const ConnectionId alice = speak(identity_of("alice"), 5);
  disconnect(5);
  gone(kNow);
  Ids forgotten;
  table_.forget_gone(kNow + core::kSecond - 1, kNow + 1, forgotten);
  EXPECT_TRUE(forgotten.empty()) << "too early";
  table_.forget_gone(kNow + core::kSecond, kNow, forgotten);
  EXPECT_TRUE(forgotten.empty()) << "frames of it may be unread";
  table_.forget_gone(kNow + core::kSecond, kNow + 1, forgotten);
  EXPECT_EQ(forgotten, Ids{alice});
  EXPECT_FALSE(table_.exists(alice));
  EXPECT_EQ(table_.size(), 0u);
}

TEST_F(ConnectionsTest, AFullTableForgetsWhatIsGoneFirst) {
  for (const auto* const name : {"a", "b", "c", "d"}) {
    speak(identity_of(name), 4 + static_cast<int>(table_.size()));
  }
  disconnect(5);
  const Ids ids = gone();
  ASSERT_EQ(ids.size(), 1u);
  speak(identity_of("e"), 9);
  EXPECT_EQ(forgotten_, ids.front());
  EXPECT_EQ(table_.find(identity_of("b")), kNone);
}

TEST_F(ConnectionsTest, WhatWasReadOfAConnectionOutlivesItsSlot) {
  const ConnectionId bad = speak("nobody", 4);
  table_[bad].wire.read_message(10'000, 0);
  for (const auto* const name : {"b", "c", "d", "e"}) {
    speak(identity_of(name), 4 + static_cast<int>(table_.size()));
  }
  ASSERT_EQ(forgotten_, bad);
  const auto unread = [this](int fd, std::uint64_t received) {
    std::uint64_t bytes = 0;
    const auto visit = [&](int, std::uint32_t, ConnectionId, const WireCount& wire) {
      bytes = wire.unread(received);
    };
    table_.for_each_descriptor(static_cast<std::size_t>(fd), static_cast<std::size_t>(fd) + 1,
                               visit);
    return bytes;
  };
  EXPECT_EQ(unread(4, 10'100), 91u);

  disconnect(5);
  gone();
  const Connections::Made again = table_.make("nobody");  // Its connection still is the first.
  ASSERT_NE(again.id, kNone);
  link(again.id, 4);
  EXPECT_EQ(unread(4, 10'100), 91u);
  accept(4);
  EXPECT_EQ(unread(4, 10'100), 10'100u) << "another connection on the same number";
}

TEST_F(ConnectionsTest, AFullTableForgetsBadIdentitiesNext) {
  const ConnectionId bad = speak("nobody", 4);
  for (const auto* const name : {"b", "c", "d"}) {
    speak(identity_of(name), 4 + static_cast<int>(table_.size()));
  }
  speak(identity_of("e"), 9);
  EXPECT_EQ(forgotten_, bad);
}

TEST_F(ConnectionsTest, ATableFullOfLiveConnectionsTakesNoMore) {
  for (const auto* const name : {"a", "b", "c", "d"}) {
    speak(identity_of(name), 4 + static_cast<int>(table_.size()));
  }
  EXPECT_EQ(speak(identity_of("e"), 9), kNone);
  EXPECT_EQ(table_.size(), 4u);
}

TEST_F(ConnectionsTest, EveryUseOfASlotHasItsOwnSerial) {
  const ConnectionId alice = speak(identity_of("alice"), 5);
  const std::uint64_t serial = table_[alice].serial;
  disconnect(5);
  gone();
  Ids forgotten;
  table_.forget_gone(kNow + core::kSecond, kNow + 1, forgotten);
  const ConnectionId bob = speak(identity_of("bob"), 5);
  EXPECT_EQ(bob, alice);
  EXPECT_NE(table_[bob].serial, serial);
}

}  // namespace
}  // namespace zpost::net
