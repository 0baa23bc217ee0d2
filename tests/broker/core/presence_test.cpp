// Watches, metadata, wills, and what `who` knows. SPEC.md, sections 4, 11 and 18.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/broker/core/support/meeting.h"

namespace zpost::core::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class PresenceTest : public testing::Test, public Meeting {
 protected:
  static Limits quick() {
    Limits limits;
    limits.resume_ns = 2 * kSecond;
    return limits;
  }

  PresenceTest() : Meeting(quick()) {}

  FakePeer& watcher() {
    FakePeer& peer = join(FakePeer::Options{.name = "watcher", .resume = false, .pong = false});
    peer.write_watch("*");
    peer.write_interest(Kind::kSubscribe, encode(Subscribe{"**"}), false);
    peer.say();
    world.settle();
    peer.read();
    return peer;
  }

  FakePeer& with_will(const std::string& name, Will will) {
    FakePeer::Options options{.name = name};
    options.will = std::move(will);
    return join(std::move(options));
  }

  static Will last_words(Kind kind, const std::string& to, bool retain = false) {
    Will will{.kind = kind, .to = to, .retain = retain};
    const Bytes body = as_bytes(std::string_view("gone"));
    will.body.assign(body.begin(), body.end());
    return will;
  }
};

TEST_F(PresenceTest, WatchersHearOfNewMetadata) {
  FakePeer& watch = watcher();
  FakePeer& alice = join("alice");
  (void)heard(watch);
  for (const std::string word : {"busy", "busy", "free"}) {
    alice.write_interest(Kind::kDescribe, encode(Metadata{{"state", word}}), false);
  }
  alice.say();
  EXPECT_THAT(heard(watch), ElementsAre("presence alice changed state=busy",
                                        "presence alice changed state=free"));
}

TEST_F(PresenceTest, WhoChangesMetadataWithoutEndViolates) {
  FakePeer& alice = join(FakePeer::Options{.name = "alice", .honest = false});
  for (int i = 0; i < 500; ++i) {
    alice.write_interest(Kind::kDescribe, encode(Metadata{{"n", std::to_string(i)}}), false);
  }
  alice.say();
  world.settle();
  EXPECT_EQ(world.router().sessions(), 0U);
}

TEST_F(PresenceTest, TheWillOfAPeerThatVanishesIsSent) {
  FakePeer& watch = watcher();
  FakePeer& bob = with_will("bob", last_words(Kind::kSend, "watcher"));
  bob.send("watcher", "alive");
  (void)heard(watch);
  bob.lose();
  world.advance(kSecond);
  EXPECT_THAT(heard(watch), IsEmpty());
  world.advance(3 * kSecond);
  EXPECT_THAT(heard(watch),
              ElementsAre("presence bob left (silent)", HasSubstr("from bob will \"gone\"")));
  EXPECT_TRUE(world.router().accounting().balanced());
}

TEST_F(PresenceTest, AWillIsPublishedAndRetained) {
  FakePeer& watch = watcher();
  FakePeer& bob = with_will("bob", last_words(Kind::kPublish, "state/bob", true));
  bob.lose();
  world.advance(4 * kSecond);
  EXPECT_THAT(heard(watch), Contains(HasSubstr("publish #")));
  FakePeer& late = join("late");
  late.write_interest(Kind::kSubscribe, encode(Subscribe{"state/*"}), false);
  late.say();
  EXPECT_THAT(heard(late), Contains(HasSubstr("in state/bob retained will \"gone\"")));
}

TEST_F(PresenceTest, WhoSaysGoodbyeLeavesNoWill) {
  FakePeer& watch = watcher();
  FakePeer& bob = with_will("bob", last_words(Kind::kSend, "watcher"));
  (void)heard(watch);
  bob.goodbye();
  EXPECT_THAT(heard(watch), ElementsAre("presence bob left (goodbye)"));
}

TEST_F(PresenceTest, AWillForNobodyIsForgotten) {
  FakePeer& bob = with_will("bob", last_words(Kind::kSend, "nobody"));
  bob.lose();
  world.advance(4 * kSecond);
  EXPECT_EQ(world.router().sessions(), 0U);
  EXPECT_EQ(world.router().held_bytes(), 0U);
}

TEST_F(PresenceTest, WhoSendsFasterThanTheRateIsToldSo) {
  Limits limits;
  limits.rate = 10;
  Meeting room(limits);
  FakePeer& alice = room.join("alice");
  FakePeer& bob = room.join("bob");
  for (int i = 0; i < 15; ++i) alice.send("bob", "x");
  room.world.settle();
  bob.keep_up();
  room.catch_up();
  EXPECT_EQ(alice.told(Outcome::kOverRate), 5U);
  EXPECT_EQ(bob.bodies().size(), 10U);
  room.world.advance(kSecond / 2);
  for (int i = 0; i < 6; ++i) alice.send("bob", "y");
  room.catch_up();
  EXPECT_EQ(bob.bodies().size(), 15U);
}

}  // namespace
}  // namespace zpost::core::test
