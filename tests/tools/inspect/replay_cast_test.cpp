// Who is played, who is real, who is missing.
#include "tools/inspect/replay_cast.h"

#include <gtest/gtest.h>

namespace zpost::inspect {
namespace {

/// Alice asks bob and calls the service up, which w1 worked for; bob sends to alice.
ReplayPlan plan() {
  ReplayPlan made;
  made.senders = {{"alice"}, {"bob"}};
  made.items.push_back({.kind = Kind::kRequest, .sender = 0, .to = "bob"});
  made.items.push_back({.kind = Kind::kCall, .sender = 0, .to = "up", .worker = "w1"});
  made.items.push_back({.kind = Kind::kSend, .sender = 1, .to = "alice"});
  return made;
}

Part part_of(const Cast& cast, const char* name) {
  return cast.roles.find(name)->second.part;
}

CastRules standing_in(const char* rename = nullptr) {
  CastRules rules;
  rules.stand_in = true;
  if (rename != nullptr) {
    EXPECT_TRUE(rules.renames.add(rename));
  }
  return rules;
}

TEST(ReplayCastTest, SendersArePlayedAndWhoIsNotThereIsAbsent) {
  ReplayPlan made = plan();
  made.items.pop_back();
  made.senders.pop_back();
  const Result<Cast> cast = make_cast(made, {}, {});
  ASSERT_TRUE(cast);
  EXPECT_EQ(part_of(*cast, "alice"), Part::kPlayed);
  EXPECT_EQ(part_of(*cast, "bob"), Part::kAbsent);
  EXPECT_EQ(part_of(*cast, "@up"), Part::kAbsent);
  EXPECT_EQ(cast->roles.find("alice")->second.sends, 2U);
}

TEST(ReplayCastTest, WhatSomebodySentWhoIsThereIsLeftToThem) {
  ReplayPlan made = plan();
  const Result<Cast> cast = make_cast(made, {.peers = {"bob"}, .services = {"up"}}, {});
  ASSERT_TRUE(cast);
  EXPECT_EQ(part_of(*cast, "bob"), Part::kReal);
  EXPECT_EQ(part_of(*cast, "@up"), Part::kReal);
  EXPECT_EQ(cast->is_sent, (std::vector<bool>{true, true, false}));
  EXPECT_EQ(made.not_sent.at(NotSent::kReal), 1U);
}

TEST(ReplayCastTest, WhoIsMissingIsStoodInForWhenWanted) {
  ReplayPlan made = plan();
  made.items.pop_back();
  made.senders.pop_back();
  const Result<Cast> cast = make_cast(made, {}, standing_in());
  ASSERT_TRUE(cast);
  EXPECT_EQ(part_of(*cast, "bob"), Part::kStoodIn);
  EXPECT_EQ(part_of(*cast, "@up"), Part::kStoodIn);
  EXPECT_EQ(part_of(*cast, "w1"), Part::kStoodIn);
}

TEST(ReplayCastTest, WhoIsRenamedIsSentWhatTheyWereSent) {
  ReplayPlan made = plan();
  const Result<Cast> cast = make_cast(made, {}, standing_in("*=r-*"));
  ASSERT_TRUE(cast);
  EXPECT_EQ(cast->targets, (std::vector<std::string>{"r-bob", "up", "r-alice"}));
}

TEST(ReplayCastTest, WhoIsRenamedAndStoodInForIsNotTheRealOne) {
  ReplayPlan made = plan();
  made.items.pop_back();
  made.senders.pop_back();
  const LivePeers live{.peers = {"alice", "bob"}};
  const Result<Cast> cast = make_cast(made, live, standing_in("*=r-*"));
  ASSERT_TRUE(cast);
  EXPECT_EQ(part_of(*cast, "bob"), Part::kStoodIn);
  EXPECT_EQ(cast->targets[0], "r-bob");
  const Result<Cast> sender_only = make_cast(made, live, standing_in("alice=r-alice"));
  ASSERT_TRUE(sender_only);
  EXPECT_EQ(part_of(*sender_only, "bob"), Part::kReal);
}

TEST(ReplayCastTest, RedirectedEnvelopesGoElsewhere) {
  ReplayPlan made = plan();
  CastRules rules;
  ASSERT_TRUE(rules.redirections.add("bob=bob2"));
  ASSERT_TRUE(rules.redirections.add("@up=@down"));
  const Result<Cast> cast = make_cast(made, {.peers = {"bob2"}, .services = {"down"}}, rules);
  ASSERT_TRUE(cast);
  EXPECT_EQ(cast->targets, (std::vector<std::string>{"bob2", "down", "alice"}));
  EXPECT_EQ(part_of(*cast, "@up"), Part::kReal);
}

TEST(ReplayCastTest, ANewNameMustBeFreeAndSomebodysOwn) {
  CastRules rules;
  ASSERT_TRUE(rules.renames.add("*=carol"));
  ReplayPlan made = plan();
  const Result<Cast> two = make_cast(made, {}, rules);
  ASSERT_FALSE(two);
  EXPECT_NE(two.error().text.find("two peers would be played as carol"), std::string::npos);
  const Result<Cast> held = make_cast(made, {.peers = {"carol"}}, rules);
  ASSERT_FALSE(held);
  EXPECT_NE(held.error().text.find("carol"), std::string::npos);
}

TEST(ReplayCastTest, WhereEverySenderIsRealThereIsNothingToReplay) {
  ReplayPlan made = plan();
  const Result<Cast> cast = make_cast(made, {.peers = {"alice", "bob"}}, {});
  ASSERT_FALSE(cast);
  EXPECT_NE(cast.error().text.find("--rename"), std::string::npos);
}

TEST(ReplayCastTest, MorePlayersThanThereMayBeAreRefusedWithTheLimit) {
  ReplayPlan made;
  for (std::size_t i = 0; i <= Cast::kMaxPlayers; ++i) {
    made.senders.push_back({"p" + std::to_string(i)});
    made.items.push_back({.kind = Kind::kPublish, .sender = i, .to = "lab/x"});
  }
  const Result<Cast> cast = make_cast(made, {}, {});
  ASSERT_FALSE(cast);
  EXPECT_NE(cast.error().text.find("256"), std::string::npos);
}

}  // namespace
}  // namespace zpost::inspect
