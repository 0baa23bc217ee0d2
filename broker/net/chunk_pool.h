// The blocks of memory that bundles are built in, and that libzmq sends from without a copy.
#pragma once

#include <zmq.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "zpost/protocol/msgpack_reader.h"

namespace zpost::net {

class ChunkPool;

/// A block of bytes with its own count of references: one for a bundle queue, one for every message
/// of libzmq that points into it. Where several queues share bytes each has a view of its own,
/// whose count tells what libzmq still has of that queue's. Thread: the routing thread writes;
/// libzmq's threads read and drop.
struct Chunk {
  std::atomic<std::uint32_t> references{1};
  std::uint32_t capacity = 0;
  std::byte* data = nullptr;
  ChunkPool* pool = nullptr;
  Chunk* next = nullptr;   // In a list of idle ones.
  Chunk* base = nullptr;   // A view: `data` is this chunk's, to which it has a reference.
  std::uint32_t used = 0;  // Of a base: somebody's bytes stand before this.
  bool whole = false;      // A message of libzmq stands behind this, and `data` is its content.
};

/// Makes and reuses chunks of five size classes, and of the exact size above the largest. Idle
/// chunks beyond a bound go back to the heap. Thread: routing, unless a function says otherwise.
/// Must outlive the ZeroMQ context.
class ChunkPool {
 public:
  static constexpr std::array<std::uint32_t, 5> kClasses{512, 4 << 10, 16 << 10, 64 << 10,
                                                         256 << 10};
  static constexpr std::size_t kDefaultIdleBytes = 32 << 20;

  explicit ChunkPool(std::size_t max_idle_bytes = kDefaultIdleBytes)
      : max_idle_bytes_(max_idle_bytes) {}

  ~ChunkPool();
  ChunkPool(const ChunkPool&) = delete;
  ChunkPool& operator=(const ChunkPool&) = delete;

  /// A chunk for at least `bytes`, with one reference.
  [[nodiscard]] Chunk* take(std::size_t bytes);

  /// A chunk that stands for `message`, whose content it shares; `message` stays valid.
  [[nodiscard]] Chunk* share(zmq_msg_t& message);

  /// A chunk that stands for the bytes of `base`.
  [[nodiscard]] Chunk* view(Chunk& base);

  /// Drops one reference.
  void drop(Chunk* chunk);

  /// Makes `message` stand for [begin, begin + bytes) of the chunk, with a reference of its own.
  static void make_message(Chunk& chunk, std::size_t begin, std::size_t bytes, zmq_msg_t& message);

  /// Gives back half of what was never needed since the last call. Call about once a second.
  void trim();

  /// Gives back all idle chunks.
  void give_back_all();

  /// The smallest capacity of a pooled chunk for `bytes`: a class, or `bytes` above the largest.
  [[nodiscard]] static std::uint32_t capacity_for(std::size_t bytes);

  /// What idle chunks hold.
  [[nodiscard]] std::size_t idle_bytes() const { return idle_bytes_; }

  /// Chunks with references, seen from the routing thread.
  [[nodiscard]] std::size_t chunks_in_use() const { return in_use_; }

 private:
  struct IdleList {
    Chunk* head = nullptr;
    std::size_t count = 0;
    std::size_t least = 0;  // Since the last trim().
  };

  /// libzmq's free function: any thread.
  static void on_sent(void* data, void* chunk);
  void destroy(Chunk* chunk);
  [[nodiscard]] static std::size_t class_of(std::uint32_t capacity);
  void put_idle(Chunk* chunk);
  void give_back(IdleList& list, std::size_t count);
  void collect_returned();

  std::array<IdleList, kClasses.size()> idle_{};
  std::size_t idle_bytes_ = 0;
  std::size_t in_use_ = 0;
  const std::size_t max_idle_bytes_;
  std::atomic<Chunk*> returned_{nullptr};  // Pushed by any thread, taken as a whole by routing.
};

}  // namespace zpost::net
