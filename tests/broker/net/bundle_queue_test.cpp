#include "broker/net/bundle_queue.h"

#include <gtest/gtest.h>

#include <string>

#include "zpost/protocol/envelope.h"

namespace zpost::net {
namespace {

class BundleQueueTest : public testing::Test {
 protected:
  static std::string text(const Bundle& bundle) { return std::string(as_text(bundle.bytes())); }

  /// Hands over the oldest that waits; returns its content.
  std::string transmit() {
    const Bundle* const bundle = queue_.next_waiting();
    if (bundle == nullptr) return "nothing waits";
    std::string content = text(*bundle);
    queue_.hand_over();
    return content;
  }

  void append(std::string_view bytes, bool fresh) { queue_.append(as_bytes(bytes), fresh); }

  static ByteBuffer envelope(Kind kind, std::uint64_t id) {
    ByteBuffer bytes;
    append_envelope(bytes, {.kind = kind, .to = "bob", .from = "alice", .id = id});
    return bytes;
  }

  ChunkPool pool_;
  BundleQueue queue_{pool_};
};

TEST_F(BundleQueueTest, BytesGatherInTheOpenBundle) {
  append("one ", true);
  append("two", false);
  EXPECT_EQ(queue_.size(), 1u);
  EXPECT_EQ(transmit(), "one two");
  EXPECT_FALSE(queue_.open());
}

TEST_F(BundleQueueTest, AFreshBundleClosesTheOneBefore) {
  append("one", true);
  append("two", true);
  EXPECT_EQ(queue_.waiting(), 2u);
  EXPECT_EQ(transmit(), "one");
  append(" more", false);
  EXPECT_EQ(transmit(), "two more");
}

TEST_F(BundleQueueTest, TheOpenBundleGrowsThroughTheClasses) {
  const std::string part(500, 'x');
  append(part, true);
  EXPECT_EQ(queue_[0].chunk->capacity, 512u);
  append(part, false);
  EXPECT_EQ(queue_[0].chunk->capacity, 4096u);
  for (int i = 0; i < 100; ++i) append(part, false);
  EXPECT_EQ(queue_[0].chunk->capacity, 65'536u);
  EXPECT_EQ(queue_[0].size(), 51'000u);
  EXPECT_EQ(pool_.chunks_in_use(), 1u);
}

TEST_F(BundleQueueTest, ABundleBeyondTheClassesHasItsExactSize) {
  append(std::string(300'000, 'x'), true);
  EXPECT_EQ(queue_[0].chunk->capacity, 300'000u);
}

TEST_F(BundleQueueTest, AClosedBundleMovesToTheChunkThatFits) {
  append(std::string(4'000, 'x'), true);
  append(std::string(1'000, 'x'), false);
  EXPECT_EQ(queue_[0].chunk->capacity, 16'384u);
  ASSERT_NE(queue_.next_waiting(), nullptr);
  EXPECT_EQ(queue_[0].chunk->capacity, 16'384u) << "no smaller one holds 5000 bytes";

  append(std::string(513, 'x'), true);
  append(std::string(1, 'x'), true);
  EXPECT_EQ(queue_[1].chunk->capacity, 4'096u) << "no smaller one holds 513 bytes";
}

TEST_F(BundleQueueTest, AWholeFrameIsABundleByItself) {
  append("before", true);
  zmq_msg_t frame;
  zmq_msg_init_size(&frame, 9'000);
  const void* const content = zmq_msg_data(&frame);
  queue_.append_whole(frame);
  zmq_msg_close(&frame);
  append("after", true);
  EXPECT_EQ(transmit(), "before");
  ASSERT_NE(queue_.next_waiting(), nullptr);
  EXPECT_EQ(queue_.next_waiting()->bytes().data(), content);
  queue_.hand_over();
  EXPECT_EQ(transmit(), "after");
}

TEST_F(BundleQueueTest, ReleasedBundlesAreForgotten) {
  append("one", true);
  append("two", true);
  append("three", true);
  transmit();
  transmit();
  queue_.release(1);
  EXPECT_EQ(queue_.handed(), 1u);
  EXPECT_EQ(queue_.waiting(), 1u);
  queue_.release(1);
  EXPECT_EQ(transmit(), "three");
  queue_.release(1);
  EXPECT_EQ(pool_.chunks_in_use(), 0u);
}

TEST_F(BundleQueueTest, RewindingMakesAllWaitAgain) {
  append("one", true);
  append("two", true);
  transmit();
  transmit();
  queue_.rewind(0);
  EXPECT_EQ(queue_.handed(), 0u);
  EXPECT_EQ(transmit(), "one");
  EXPECT_EQ(transmit(), "two");
}

TEST_F(BundleQueueTest, RewindingCutsWhatWasTakenOffTheOldest) {
  for (std::uint64_t id = 1; id <= 3; ++id) {
    queue_.append(envelope(Kind::kSend, id), id == 1);
  }
  transmit();
  queue_.rewind(2);
  ASSERT_NE(queue_.next_waiting(), nullptr);
  FrameReader reader(queue_.next_waiting()->bytes());
  EnvelopeView view;
  ASSERT_TRUE(reader.next(view));
  EXPECT_EQ(view.id, 3u);
  EXPECT_FALSE(reader.next(view));
}

TEST_F(BundleQueueTest, RewindingCountsTheProgramLaneOnly) {
  queue_.append(envelope(Kind::kOutcome, 1), true);
  queue_.append(envelope(Kind::kPresence, 0), false);
  queue_.append(envelope(Kind::kSend, 7), false);
  transmit();
  queue_.rewind(1);
  FrameReader reader(queue_.next_waiting()->bytes());
  EnvelopeView view;
  ASSERT_TRUE(reader.next(view));
  EXPECT_EQ(view.id, 7u);
}

TEST_F(BundleQueueTest, ACutBundleOfAWholeFrameSharesItsBytes) {
  const ByteBuffer first = envelope(Kind::kSend, 1);
  const ByteBuffer second = envelope(Kind::kSend, 2);
  zmq_msg_t frame;
  zmq_msg_init_size(&frame, first.size() + second.size());
  auto* const content = static_cast<std::byte*>(zmq_msg_data(&frame));
  std::copy(first.begin(), first.end(), content);
  std::copy(second.begin(), second.end(), content + first.size());
  queue_.append_whole(frame);
  zmq_msg_close(&frame);
  transmit();
  queue_.rewind(1);
  EXPECT_EQ(transmit(), as_text(second));
}

TEST_F(BundleQueueTest, AfterARewindAnOpenBundleStillTakesMore) {
  queue_.append(envelope(Kind::kSend, 1), true);
  queue_.append(envelope(Kind::kSend, 2), false);
  queue_.rewind(1);
  queue_.append(envelope(Kind::kSend, 3), false);
  FrameReader reader(queue_.next_waiting()->bytes());
  EnvelopeView view;
  ASSERT_TRUE(reader.next(view));
  EXPECT_EQ(view.id, 2u);
  ASSERT_TRUE(reader.next(view));
  EXPECT_EQ(view.id, 3u);
}

TEST_F(BundleQueueTest, TheEndOfAQueueGivesEverythingBack) {
  {
    BundleQueue queue(pool_);
    queue.append(as_bytes("one"), true);
    queue.append(as_bytes("two"), true);
    EXPECT_EQ(pool_.chunks_in_use(), 2u);
  }
  EXPECT_EQ(pool_.chunks_in_use(), 0u);
}

TEST_F(BundleQueueTest, SmallBundlesThatWaitShareChunks) {
  for (int i = 0; i < 100; ++i) append(std::string(90, 'x') + std::to_string(i), true);
  EXPECT_EQ(queue_.size(), 100u);
  EXPECT_LE(pool_.chunks_in_use(), 5u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(transmit(), std::string(90, 'x') + std::to_string(i));
  queue_.release(100);
  EXPECT_EQ(pool_.chunks_in_use(), 0u);
}

TEST_F(BundleQueueTest, ABundleThatGrowsOutOfASharedChunkLeavesItsNeighboursAlone) {
  append("one", true);
  append("two", true);
  append("three", true);
  append("four", true);
  append(std::string(5000, 'x'), false);
  append("five", true);
  EXPECT_EQ(transmit(), "one");
  EXPECT_EQ(transmit(), "two");
  EXPECT_EQ(transmit(), "three");
  EXPECT_EQ(transmit(), "four" + std::string(5000, 'x'));
  EXPECT_EQ(transmit(), "five");
}

TEST_F(BundleQueueTest, WhatLibzmqStillHasAfterItsReleaseIsBounded) {
  const std::string large(BundleQueue::kMaxLeaving, 'x');
  append(large, true);
  const Bundle* const bundle = queue_.next_waiting();
  zmq_msg_t message;
  ChunkPool::make_message(*bundle->chunk, bundle->begin, bundle->size(), message);
  queue_.hand_over();
  queue_.release(1);
  EXPECT_FALSE(queue_.may_leave(1));
  EXPECT_EQ(pool_.chunks_in_use(), 1u);
  zmq_msg_close(&message);
  EXPECT_TRUE(queue_.may_leave(large.size() + 1));
  EXPECT_EQ(pool_.chunks_in_use(), 0u);
}

}  // namespace
}  // namespace zpost::net
