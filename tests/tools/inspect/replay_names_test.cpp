// Other names for recorded peers, services and topics.
#include "tools/inspect/replay_names.h"

#include <gtest/gtest.h>

namespace zpost::inspect {
namespace {

NameRules rules(std::initializer_list<const char*> texts) {
  NameRules made;
  for (const char* const text : texts) EXPECT_TRUE(made.add(text)) << text;
  return made;
}

std::string error_of(const char* text) {
  NameRules made;
  const Result<void> added = made.add(text);
  return added ? "" : added.error().text;
}

TEST(ReplayNamesTest, ANameIsReplacedByAnother) {
  const NameRules made = rules({"alice=alice2"});
  EXPECT_EQ(made.name_for("alice"), "alice2");
  EXPECT_EQ(made.name_for("alicea"), "alicea");
  EXPECT_EQ(made.apply("bob"), std::nullopt);
}

TEST(ReplayNamesTest, AStarCarriesTheRestOfTheNameOver) {
  const NameRules made = rules({"lab-*=test-*-b", "*=replay-*"});
  EXPECT_EQ(made.name_for("lab-7"), "test-7-b");
  EXPECT_EQ(made.name_for("bob"), "replay-bob");
}

TEST(ReplayNamesTest, TheFirstRuleThatMatchesCounts) {
  const NameRules made = rules({"alice=ann", "*=x-*"});
  EXPECT_EQ(made.name_for("alice"), "ann");
}

TEST(ReplayNamesTest, AWrongRuleIsNamed) {
  EXPECT_NE(error_of("alice").find("OLD=NEW"), std::string::npos);
  EXPECT_NE(error_of("al*ce=x").find("al*ce"), std::string::npos);
  EXPECT_NE(error_of("alice=two words").find("two words"), std::string::npos);
  EXPECT_NE(error_of("alice=x-*").find("stands for nothing"), std::string::npos);
  EXPECT_NE(error_of("*=*-*").find("*-*"), std::string::npos);
  EXPECT_NE(error_of("=x").find("neither a name"), std::string::npos);
}

TEST(ReplayNamesTest, RedirectionsTellPeersServicesAndTopicsApart) {
  Redirections made;
  for (const char* const text : {"bob=bob2", "@up=@down", "lab/*=test/lab/*"}) {
    EXPECT_TRUE(made.add(text)) << text;
  }
  EXPECT_EQ(made.peers.name_for("bob"), "bob2");
  EXPECT_EQ(made.services.name_for("up"), "down");
  EXPECT_EQ(made.services.name_for("bob"), "bob");
  EXPECT_EQ(made.topics.name_for("lab/a/b"), "test/lab/a/b");
  EXPECT_FALSE(made.add("@up=bob"));
}

}  // namespace
}  // namespace zpost::inspect
