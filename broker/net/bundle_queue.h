// The frames to be of one session: their bytes, in order. broker/core/action.h says what happens.
#pragma once

#include <cstddef>
#include <cstdint>

#include "broker/core/ring.h"
#include "broker/net/chunk_pool.h"
#include "broker/net/shared_append.h"

namespace zpost::net {

/// A frame to be: bytes [begin, end) of a chunk.
struct Bundle {
  Chunk* chunk = nullptr;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  [[nodiscard]] std::uint32_t size() const { return end - begin; }

  [[nodiscard]] Bytes bytes() const { return {chunk->data + begin, size()}; }
};

/// Handed to libzmq and not yet released | waiting | the last one possibly still open. Owns a
/// reference to the chunk of each. What was released while libzmq still had it is *leaving*: that
/// is bounded too, for peers that do not acknowledge. Thread: routing only.
class BundleQueue {
 public:
  /// What may be leaving before nothing more may be handed over.
  static constexpr std::size_t kMaxLeaving = 2 << 20;

  explicit BundleQueue(ChunkPool& pool) : pool_(&pool) {}

  ~BundleQueue() { clear(); }

  BundleQueue(const BundleQueue&) = delete;
  BundleQueue& operator=(const BundleQueue&) = delete;

  /// Adds bytes to the last bundle, or to a new one if `fresh`. REQUIRES: fresh or open().
  void append(Bytes bytes, bool fresh);

  /// The same, where other queues append the same bytes.
  void append_shared(Bytes bytes, bool fresh, SharedAppend& appender);

  /// `message` becomes the newest bundle; its content is shared, not copied.
  void append_whole(zmq_msg_t& message);

  /// The oldest bundle that was not handed over, closed; null if there is none.
  [[nodiscard]] const Bundle* next_waiting();

  /// Whether `bytes` more may be handed over: a single bundle of any size, or up to kMaxLeaving.
  [[nodiscard]] bool may_leave(std::size_t bytes);

  /// Gives back what libzmq has let go of since. Call now and then.
  void forget_left();

  /// The bundle of next_waiting() was handed over. REQUIRES: waiting() > 0.
  void hand_over() { ++handed_; }

  /// Forgets the `count` oldest. REQUIRES: count <= handed().
  void release(std::uint32_t count);

  /// The oldest waiting bundle, closed, becomes the newest of `to`. REQUIRES: waiting() > 0,
  /// nothing handed over.
  void move_front(BundleQueue& to);

  /// Forgets the `count` oldest that wait. REQUIRES: nothing handed over, count <= waiting().
  void drop_oldest(std::uint32_t count);

  /// All bundles handed over wait again; the oldest loses its first `count` program-lane envelopes.
  void rewind(std::uint32_t count);

  void clear();

  [[nodiscard]] std::size_t size() const { return bundles_.size(); }

  [[nodiscard]] std::size_t handed() const { return handed_; }

  [[nodiscard]] std::size_t waiting() const { return bundles_.size() - handed_; }

  /// Whether append() may add to the last bundle.
  [[nodiscard]] bool open() const { return open_; }

  [[nodiscard]] const Bundle& operator[](std::size_t index) const { return bundles_[index]; }

 private:
  void begin(std::size_t bytes);
  void close();
  [[nodiscard]] static bool writable(const Bundle& bundle, std::size_t bytes);
  void move_to(Bundle& bundle, std::size_t capacity);

  ChunkPool* pool_;
  core::Ring<Bundle> bundles_;
  core::Ring<Bundle> leaving_;  // The oldest first.
  std::size_t leaving_bytes_ = 0;
  std::uint32_t handed_ = 0;
  bool open_ = false;
  bool shares_ = false;  // Further bundles may begin in the chunk of the last one.
};

}  // namespace zpost::net
