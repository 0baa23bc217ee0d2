// What several queues append alike: one copy of the bytes, and no queue sees another's.
#include "broker/net/shared_append.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "broker/net/bundle_queue.h"

namespace zpost::net {
namespace {

class SharedAppendTest : public testing::Test {
 protected:
  static std::string next(BundleQueue& queue) {
    const Bundle* const bundle = queue.next_waiting();
    return bundle == nullptr ? "nothing waits" : std::string(as_text(bundle->bytes()));
  }

  void append(BundleQueue& queue, std::string_view bytes, bool fresh) {
    queue.append_shared(as_bytes(bytes), fresh, appender_);
  }

  ChunkPool pool_;
  SharedAppend appender_{pool_};
  BundleQueue one_{pool_};
  BundleQueue two_{pool_};
};

TEST_F(SharedAppendTest, QueuesThatAppendTheSameShareItsBytes) {
  const std::string first(300, 'a');
  const std::string second(300, 'b');
  for (BundleQueue* const queue : {&one_, &two_}) append(*queue, first, true);
  for (BundleQueue* const queue : {&one_, &two_}) append(*queue, second, false);
  EXPECT_EQ(next(one_), first + second);
  EXPECT_EQ(next(two_), first + second);
  EXPECT_EQ(one_[0].bytes().data(), two_[0].bytes().data());
}

TEST_F(SharedAppendTest, AQueueThatGetsSomethingElseDoesNotTouchTheOthers) {
  const std::string common = "common ";
  const std::string mine = "mine";
  const std::string yours = "yours";
  for (BundleQueue* const queue : {&one_, &two_}) append(*queue, common, true);
  append(one_, mine, false);
  append(two_, yours, false);
  EXPECT_EQ(next(one_), "common mine");
  EXPECT_EQ(next(two_), "common yours");
}

TEST_F(SharedAppendTest, ALateQueueBeginsWhereItStands) {
  const std::string early = "early ";
  const std::string both = "both";
  append(one_, early, true);
  append(one_, both, false);
  append(two_, both, true);
  EXPECT_EQ(next(one_), "early both");
  EXPECT_EQ(next(two_), "both");
}

TEST_F(SharedAppendTest, TheSameBytesInAnotherStepAreNotTakenForTheOldOnes) {
  std::string frame = "first";
  append(one_, frame, true);
  appender_.forget();
  frame = "other";
  append(two_, frame, true);
  EXPECT_EQ(next(one_), "first");
  EXPECT_EQ(next(two_), "other");
}

TEST_F(SharedAppendTest, WhatIsAppendedForOneOnlyLeavesTheShared) {
  const std::string common = "common ";
  for (BundleQueue* const queue : {&one_, &two_}) append(*queue, common, true);
  one_.append(as_bytes("own"), false);
  EXPECT_EQ(next(one_), "common own");
  EXPECT_EQ(next(two_), "common ");
}

TEST_F(SharedAppendTest, WhatLibzmqHasOfOneQueueIsNotHeldAgainstAnother) {
  const std::string large(BundleQueue::kMaxLeaving, 'x');
  for (BundleQueue* const queue : {&one_, &two_}) append(*queue, large, true);
  zmq_msg_t message;
  const Bundle* const bundle = one_.next_waiting();
  ChunkPool::make_message(*bundle->chunk, bundle->begin, bundle->size(), message);
  ASSERT_NE(two_.next_waiting(), nullptr);
  for (BundleQueue* const queue : {&one_, &two_}) {
    queue->hand_over();
    queue->release(1);
  }
  EXPECT_FALSE(one_.may_leave(1));
  EXPECT_TRUE(two_.may_leave(large.size()));
  zmq_msg_close(&message);
  EXPECT_TRUE(one_.may_leave(1));
}

TEST_F(SharedAppendTest, NothingIsKeptWhenAllAreDone) {
  const std::string bytes(700, 'x');
  for (int i = 0; i < 20; ++i) {
    append(one_, bytes, i == 0);
    append(two_, bytes, i == 0);
  }
  one_.clear();
  two_.clear();
  appender_.forget();
  EXPECT_EQ(pool_.chunks_in_use(), 0U);
}

/// What the queues should hold, as plain strings.
struct Model {
  std::deque<std::string> bundles;
  bool open = false;
};

TEST_F(SharedAppendTest, AnyHistoryLeavesEveryQueueWithItsOwnBytes) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    const auto pick = [&](std::size_t count) { return random() % count; };
    constexpr std::size_t kQueues = 5;
    std::vector<std::unique_ptr<BundleQueue>> queues;
    for (std::size_t i = 0; i < kQueues; ++i)
      queues.push_back(std::make_unique<BundleQueue>(pool_));
    std::vector<Model> models(kQueues);
    for (int step = 0; step < 60; ++step) {
      // The parts of one frame, each to some of the queues.
      std::vector<std::string> parts;
      for (std::size_t i = 0; i < 1 + pick(3); ++i) {
        parts.emplace_back(1 + pick(pick(4) == 0 ? 3000 : 100), static_cast<char>('a' + pick(26)));
      }
      for (const std::string& part : parts) {
        for (std::size_t i = 0; i < kQueues; ++i) {
          Model& model = models[i];
          if (pick(4) == 0) continue;
          if (model.open && pick(8) == 0) {
            ASSERT_EQ(next(*queues[i]), model.bundles.front()) << "seed " << seed;
            queues[i]->drop_oldest(1);
            model.bundles.pop_front();
            if (model.bundles.empty()) model.open = false;
          }
          const bool fresh = !model.open || pick(10) == 0;
          if (fresh) model.bundles.emplace_back();
          model.open = true;
          model.bundles.back() += part;
          if (pick(12) == 0) {
            queues[i]->append(as_bytes(part), fresh);
          } else {
            append(*queues[i], part, fresh);
          }
        }
      }
      appender_.forget();
    }
    for (std::size_t i = 0; i < kQueues; ++i) {
      ASSERT_EQ(queues[i]->size(), models[i].bundles.size()) << "seed " << seed;
      for (const std::string& bundle : models[i].bundles) {
        ASSERT_EQ(next(*queues[i]), bundle) << "seed " << seed << ", queue " << i;
        queues[i]->hand_over();
      }
    }
  }
  EXPECT_EQ(pool_.chunks_in_use(), 0U);
}

}  // namespace
}  // namespace zpost::net
