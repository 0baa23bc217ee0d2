#include "broker/core/topic_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "zpost/protocol/names.h"

namespace zpost::core {
namespace {

std::multiset<SessionId> sessions(const TopicTree& tree, const std::string& topic) {
  std::vector<Subscriber> found;
  tree.match(topic, found);
  std::multiset<SessionId> result;
  for (const Subscriber& each : found) result.insert(each.session);
  return result;
}

/// Few names, so that patterns meet.
rc::Gen<std::string> segments(bool pattern) {
  const auto one = pattern ? rc::gen::element<std::string>("a", "b", "c", "*", "*", "**")
                           : rc::gen::element<std::string>("a", "b", "c");
  return rc::gen::map(
      rc::gen::resize(4, rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(one))),
      [](const std::vector<std::string>& parts) {
        std::string text;
        for (const std::string& part : parts) {
          if (!text.empty()) text += '/';
          text += part;
          if (part == "**") break;
        }
        return text;
      });
}

TEST(TopicTreeTest, AStarIsOneSegmentAndTwoAreTheRest) {
  TopicTree tree;
  tree.set("a/*", {1});
  tree.set("a/**", {2});
  tree.set("**", {3});
  tree.set("a", {4});
  tree.set("*/b", {5});
  EXPECT_EQ(sessions(tree, "a"), (std::multiset<SessionId>{3, 4}));
  EXPECT_EQ(sessions(tree, "a/b"), (std::multiset<SessionId>{1, 2, 3, 5}));
  EXPECT_EQ(sessions(tree, "a/b/c"), (std::multiset<SessionId>{2, 3}));
}

TEST(TopicTreeTest, WhatIsRemovedLeavesNothingBehind) {
  TopicTree tree;
  EXPECT_TRUE(tree.set("a/b/c", {1}));
  EXPECT_FALSE(tree.set("a/b/c", {1, SlowPolicy::kBlock}));
  EXPECT_TRUE(tree.set("a/*/**", {1}));
  EXPECT_FALSE(tree.remove("a/b", 1));
  EXPECT_FALSE(tree.remove("a/b/c", 2));
  EXPECT_TRUE(tree.remove("a/b/c", 1));
  EXPECT_TRUE(tree.remove("a/*/**", 1));
  EXPECT_EQ(tree.size(), 0U);
  EXPECT_EQ(tree.nodes(), 1U);
}

RC_GTEST_PROP(TopicTreeTest, FindsWhatComparingEveryPatternFinds, ()) {
  TopicTree tree;
  std::map<std::pair<std::string, SessionId>, bool> model;
  const auto steps = *rc::gen::inRange(0, 40);
  for (int i = 0; i < steps; ++i) {
    const std::string pattern = *segments(true);
    const auto session = *rc::gen::inRange<SessionId>(0, 5);
    RC_ASSERT(is_topic_pattern(pattern));
    if (*rc::gen::inRange(0, 3) == 0) {
      RC_ASSERT(tree.remove(pattern, session) == (model.erase({pattern, session}) > 0));
    } else {
      RC_ASSERT(tree.set(pattern, {session}) ==
                model.emplace(std::pair{pattern, session}, true).second);
    }
  }
  RC_ASSERT(tree.size() == model.size());
  const std::string topic = *segments(false);
  std::multiset<SessionId> expected;
  for (const auto& [entry, there] : model) {
    if (matches_topic_pattern(entry.first, topic)) expected.insert(entry.second);
  }
  RC_ASSERT(sessions(tree, topic) == expected);
  for (const auto& [entry, there] : model) RC_ASSERT(tree.remove(entry.first, entry.second));
  RC_ASSERT(tree.nodes() == 1U);
}

}  // namespace
}  // namespace zpost::core
