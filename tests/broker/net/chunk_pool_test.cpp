#include "broker/net/chunk_pool.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace zpost::net {
namespace {

TEST(ChunkPoolTest, ChunksComeInFiveClassesAndInExactSizesAbove) {
  EXPECT_EQ(ChunkPool::capacity_for(0), 512u);
  EXPECT_EQ(ChunkPool::capacity_for(512), 512u);
  EXPECT_EQ(ChunkPool::capacity_for(513), 4096u);
  EXPECT_EQ(ChunkPool::capacity_for(65'536), 65'536u);
  EXPECT_EQ(ChunkPool::capacity_for(65'537), 262'144u);
  EXPECT_EQ(ChunkPool::capacity_for(262'145), 262'145u);
}

TEST(ChunkPoolTest, ADroppedChunkIsUsedAgain) {
  ChunkPool pool;
  Chunk* const first = pool.take(100);
  pool.drop(first);
  EXPECT_EQ(pool.idle_bytes(), 512u);
  Chunk* const second = pool.take(200);
  EXPECT_EQ(second, first);
  EXPECT_EQ(pool.idle_bytes(), 0u);
  pool.drop(second);
  EXPECT_EQ(pool.chunks_in_use(), 0u);
}

TEST(ChunkPoolTest, IdleChunksBeyondTheBoundGoBackToTheHeap) {
  ChunkPool pool(64 << 10);
  Chunk* const one = pool.take(60'000);
  Chunk* const other = pool.take(60'000);
  pool.drop(one);
  pool.drop(other);
  EXPECT_EQ(pool.idle_bytes(), std::size_t{64 << 10});
}

TEST(ChunkPoolTest, LargeChunksAreNotKept) {
  ChunkPool pool;
  pool.drop(pool.take(300'000));
  EXPECT_EQ(pool.idle_bytes(), 0u);
  EXPECT_EQ(pool.chunks_in_use(), 0u);
}

TEST(ChunkPoolTest, TrimmingGivesBackWhatIsNeverNeeded) {
  ChunkPool pool;
  std::vector<Chunk*> chunks;
  for (int i = 0; i < 8; ++i) chunks.push_back(pool.take(4096));
  for (Chunk* const chunk : chunks) pool.drop(chunk);
  for (int i = 0; i < 8; ++i) pool.trim();
  EXPECT_EQ(pool.idle_bytes(), 0u);
}

TEST(ChunkPoolTest, AChunkLivesUntilLibzmqHasSentIt) {
  ChunkPool pool;
  Chunk* const chunk = pool.take(100);
  std::memcpy(chunk->data, "hello", 5);
  zmq_msg_t message;
  ChunkPool::make_message(*chunk, 1, 4, message);
  pool.drop(chunk);
  EXPECT_EQ(pool.chunks_in_use(), 1u);
  EXPECT_EQ(std::string(static_cast<char*>(zmq_msg_data(&message)), zmq_msg_size(&message)),
            "ello");

  // As libzmq's thread would.
  std::thread([&] { zmq_msg_close(&message); }).join();
  pool.trim();
  EXPECT_EQ(pool.chunks_in_use(), 0u);
}

/// Makes a message of `chunk` and lets libzmq be done with it after everyone else.
void send(ChunkPool& pool, Chunk* chunk, std::size_t bytes) {
  zmq_msg_t message;
  ChunkPool::make_message(*chunk, 0, bytes, message);
  pool.drop(chunk);
  zmq_msg_close(&message);
}

TEST(ChunkPoolTest, LargeChunksThatWereSentGoBackAsSoonAsAnotherIsTaken) {
  ChunkPool pool;
  for (int i = 0; i < 10; ++i) send(pool, pool.take(500'000), 500'000);
  EXPECT_EQ(pool.chunks_in_use(), 1u);
}

TEST(ChunkPoolTest, SharedMessagesThatWereSentInPartGoBackAsSoonAsAnotherIsShared) {
  ChunkPool pool;
  for (int i = 0; i < 10; ++i) {
    zmq_msg_t received;
    zmq_msg_init_size(&received, 500'000);
    send(pool, pool.share(received), 1'000);
    zmq_msg_close(&received);
  }
  EXPECT_EQ(pool.chunks_in_use(), 1u);
}

TEST(ChunkPoolTest, AllThatIsIdleCanBeGivenBackAtOnce) {
  ChunkPool pool;
  Chunk* const used = pool.take(60'000);
  for (int i = 0; i < 10; ++i) pool.drop(pool.take(60'000));
  pool.drop(pool.take(100));
  EXPECT_GT(pool.idle_bytes(), 0u);
  pool.give_back_all();
  EXPECT_EQ(pool.idle_bytes(), 0u);
  EXPECT_EQ(pool.chunks_in_use(), 1u);
  pool.drop(used);
  EXPECT_EQ(pool.take(60'000), used) << "and it goes on";
  pool.drop(used);
}

TEST(ChunkPoolTest, ASharedMessageIsNotCopied) {
  ChunkPool pool;
  zmq_msg_t received;
  zmq_msg_init_size(&received, 10'000);
  void* const content = zmq_msg_data(&received);
  Chunk* const chunk = pool.share(received);
  zmq_msg_close(&received);
  EXPECT_EQ(chunk->data, content);
  EXPECT_EQ(chunk->capacity, 10'000u);

  zmq_msg_t sent;
  ChunkPool::make_message(*chunk, 0, 10'000, sent);
  EXPECT_EQ(zmq_msg_data(&sent), content);
  EXPECT_EQ(chunk->references.load(), 2u) << "so that it is known when libzmq has let go";
  pool.drop(chunk);
  zmq_msg_close(&sent);
  pool.trim();
  EXPECT_EQ(pool.chunks_in_use(), 0u);
}

TEST(ChunkPoolTest, APartOfASharedMessageKeepsAllOfIt) {
  ChunkPool pool;
  zmq_msg_t received;
  zmq_msg_init_size(&received, 10'000);
  auto* const content = static_cast<std::byte*>(zmq_msg_data(&received));
  Chunk* const chunk = pool.share(received);
  zmq_msg_close(&received);
  zmq_msg_t part;
  ChunkPool::make_message(*chunk, 9'000, 1'000, part);
  pool.drop(chunk);
  EXPECT_EQ(zmq_msg_data(&part), content + 9'000);
  zmq_msg_close(&part);
  pool.trim();
  EXPECT_EQ(pool.chunks_in_use(), 0u);
}

TEST(ChunkPoolTest, ChunksComeBackFromSeveralThreads) {
  ChunkPool pool;
  constexpr int kThreads = 4;
  constexpr int kEach = 500;
  std::vector<zmq_msg_t> messages(kThreads * kEach);
  for (zmq_msg_t& message : messages) {
    Chunk* const chunk = pool.take(64);
    ChunkPool::make_message(*chunk, 0, 64, message);
    pool.drop(chunk);
  }
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i)
        zmq_msg_close(&messages[static_cast<std::size_t>(t * kEach + i)]);
    });
  }
  for (int i = 0; i < 100; ++i) pool.drop(pool.take(64));
  for (std::thread& thread : threads) thread.join();
  pool.trim();
  EXPECT_EQ(pool.chunks_in_use(), 0u);
}

}  // namespace
}  // namespace zpost::net
