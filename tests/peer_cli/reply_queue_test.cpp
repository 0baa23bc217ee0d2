#include "peer/cli/reply_queue.h"

#include <gmock/gmock.h>

#include <set>
#include <vector>

namespace zpost::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ReplyQueueTest : public testing::Test {
 protected:
  void put(const std::string& to, std::uint64_t id, std::size_t bytes = 1) {
    queue.put({to, id, false, std::string(bytes, 'x')});
  }

  std::set<std::string> full;  // Requesters that have no room.
  std::vector<std::uint64_t> sent;
  std::vector<std::string> messages;
  ReplyQueue queue{{[this](const QueuedReply& reply) {
                      if (full.contains(reply.to)) return false;
                      sent.push_back(reply.id);
                      return true;
                    },
                    [this](const std::string& message) { messages.push_back(message); }}};
};

TEST_F(ReplyQueueTest, WhatHasRoomIsSentAtOnce) {
  put("alice", 1);
  EXPECT_THAT(sent, ElementsAre(1));
  EXPECT_TRUE(queue.empty());
}

TEST_F(ReplyQueueTest, OneRequesterWithoutRoomDoesNotHoldUpAnother) {
  full = {"greedy"};
  put("greedy", 1);
  put("alice", 2);
  EXPECT_THAT(sent, ElementsAre(2));
  EXPECT_FALSE(queue.empty());
}

TEST_F(ReplyQueueTest, WhatWaitedIsSentInOrderAndBeforeWhatComesLater) {
  full = {"slow"};
  put("slow", 1);
  put("slow", 2);
  full.clear();
  put("slow", 3);
  EXPECT_THAT(sent, IsEmpty());
  queue.retry();
  EXPECT_THAT(sent, ElementsAre(1, 2, 3));
  EXPECT_TRUE(queue.empty());
  EXPECT_THAT(messages, IsEmpty());
}

TEST_F(ReplyQueueTest, BeyondTheBoundTheNewestAreDroppedAndThatIsSaidOnceAndCountedAtTheEnd) {
  full = {"greedy"};
  for (std::uint64_t id = 1; id <= ReplyQueue::kMaxReplies + 5; ++id) put("greedy", id);
  EXPECT_THAT(messages,
              ElementsAre("replies to greedy are dropped: it does not take the 64 that wait"));
  full.clear();
  queue.retry();
  EXPECT_EQ(sent.size(), ReplyQueue::kMaxReplies);
  EXPECT_EQ(sent.back(), ReplyQueue::kMaxReplies);
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages.back(), "5 replies to greedy dropped");
}

TEST_F(ReplyQueueTest, BytesAreBoundedButOneReplyOfAnySizeWaits) {
  full = {"greedy"};
  put("greedy", 1, ReplyQueue::kMaxBytes + 1);
  EXPECT_THAT(messages, IsEmpty());
  put("greedy", 2);
  EXPECT_THAT(messages, ElementsAre(HasSubstr("are dropped")));
}

TEST_F(ReplyQueueTest, ManyNamesTogetherAreBoundedToo) {
  for (std::size_t i = 0; i < ReplyQueue::kMaxRepliesInAll; ++i) {
    full.insert("greedy" + std::to_string(i));
    put("greedy" + std::to_string(i), i);
  }
  full.insert("late");
  put("late", 1);
  EXPECT_THAT(messages, ElementsAre(HasSubstr("reply to late dropped")));
  put("alice", 2);
  EXPECT_THAT(sent, ElementsAre(2));
}

TEST_F(ReplyQueueTest, WhatIsGivenUpIsCounted) {
  full = {"greedy"};
  put("greedy", 1);
  queue.give_up();
  EXPECT_TRUE(queue.empty());
  EXPECT_THAT(messages, ElementsAre("1 reply to greedy dropped"));
}

}  // namespace
}  // namespace zpost::cli
