#include "broker/core/directory.h"

#include <gtest/gtest.h>

namespace zpost::core {
namespace {

TEST(DirectoryTest, TheBrokerIsNumberZeroAndHasNoName) {
  const Directory directory;
  EXPECT_EQ(directory.find(""), kBrokerName);
  EXPECT_EQ(directory.name(kBrokerName), "");
}

TEST(DirectoryTest, ANameKeepsItsNumberWhileSomebodyRefersToIt) {
  Directory directory;
  const NameId alice = directory.acquire("alice");
  EXPECT_EQ(directory.acquire("alice"), alice);
  directory.release(alice);
  EXPECT_EQ(directory.find("alice"), alice);
  directory.release(alice);
  EXPECT_EQ(directory.find("alice"), kNone);
}

TEST(DirectoryTest, AFreedNumberServesAnotherName) {
  Directory directory;
  const NameId alice = directory.acquire("alice");
  directory.set_session(alice, 7);
  directory.release(alice);
  EXPECT_NE(directory.acquire("carol"), alice) << "notes of this step may still speak of alice";
  directory.recycle();
  const NameId bob = directory.acquire("bob");
  EXPECT_EQ(bob, alice);
  EXPECT_EQ(directory.name(bob), "bob");
  EXPECT_EQ(directory.session(bob), kNone);
  EXPECT_FALSE(directory.has(bob + 2));
}

}  // namespace
}  // namespace zpost::core
