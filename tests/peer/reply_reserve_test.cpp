// Replies that wait for credit.
#include "peer/src/reply_reserve.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace zpost::peer {
namespace {

class ReplyReserveTest : public testing::Test {
 protected:
  bool put(const std::string& to, std::string body = "x") {
    Draft draft{.kind = Kind::kReply, .to = to, .body = as_bytes(body), .text = false, .meta = {}};
    draft.meta.in_reply_to = 7;
    return reserve_.put(draft);
  }

  /// What is offered while no more than `most` are taken, as "to body".
  std::vector<std::string> offer(std::size_t most = SIZE_MAX) {
    std::vector<std::string> taken;
    reserve_.offer([&](const Draft& draft) {
      if (taken.size() == most) return false;
      EXPECT_EQ(draft.meta.in_reply_to, 7u);
      taken.push_back(std::string(draft.to) + " " + std::string(as_text(draft.body)));
      return true;
    });
    return taken;
  }

  using Words = std::vector<std::string>;

  ReplyReserve reserve_;
};

TEST_F(ReplyReserveTest, RepliesGoInTheOrderOfTheirRecipient) {
  EXPECT_TRUE(put("bob", "1") && put("alice", "2") && put("bob", "3"));
  EXPECT_TRUE(reserve_.holds("bob"));
  EXPECT_EQ(offer(), (Words{"alice 2", "bob 1", "bob 3"}));
  EXPECT_TRUE(reserve_.empty());
  EXPECT_FALSE(reserve_.holds("bob"));
}

TEST_F(ReplyReserveTest, WhatIsNotTakenStays) {
  EXPECT_TRUE(put("bob", "1") && put("bob", "2"));
  EXPECT_EQ(offer(1), Words{"bob 1"});
  EXPECT_EQ(offer(), Words{"bob 2"});
}

TEST_F(ReplyReserveTest, OneRecipientGetsAQuarterOfTheRoom) {
  std::size_t count = 0;
  while (put("bob")) ++count;
  EXPECT_EQ(count, ReplyReserve::kMaxReplies / ReplyReserve::kShare);
  EXPECT_TRUE(put("alice"));
}

TEST_F(ReplyReserveTest, TheNumberOfRepliesIsBounded) {
  std::size_t count = 0;
  while (put("peer" + std::to_string(count))) ++count;
  EXPECT_EQ(count, ReplyReserve::kMaxReplies);
  (void)offer(1);
  EXPECT_TRUE(put("another"));
}

TEST_F(ReplyReserveTest, TheirBytesAreBoundedButTheFirstMayHaveAnySize) {
  EXPECT_TRUE(put("bob", std::string(2 * ReplyReserve::kMaxBytes, 'x')));
  EXPECT_FALSE(put("alice"));
  (void)offer();
  const std::string quarter(ReplyReserve::kMaxBytes / ReplyReserve::kShare, 'x');
  EXPECT_TRUE(put("bob", quarter));
  EXPECT_FALSE(put("bob"));
  EXPECT_TRUE(put("alice", quarter) && put("carol", quarter) && put("dave", quarter));
  EXPECT_FALSE(put("eve"));
}

}  // namespace
}  // namespace zpost::peer
