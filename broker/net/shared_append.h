// What several queues append alike is written once.
#pragma once

#include <cstddef>
#include <cstdint>

#include "broker/net/chunk_pool.h"

namespace zpost::net {

/// The latest append to a bundle whose bytes other queues may share: from which bundle to which, by
/// what. A queue that stands where that one stood, and appends the same, only takes the result.
/// Thread: routing only.
class SharedAppend {
 public:
  /// Bytes [begin, end) of a chunk that no queue owns alone; null: no bundle yet.
  struct Extent {
    Chunk* base = nullptr;
    std::uint32_t begin = 0;
    std::uint32_t end = 0;

    friend bool operator==(const Extent&, const Extent&) = default;
  };

  explicit SharedAppend(ChunkPool& pool) : pool_(&pool) {}

  ~SharedAppend() { forget(); }

  SharedAppend(const SharedAppend&) = delete;
  SharedAppend& operator=(const SharedAppend&) = delete;

  /// What `before` becomes with `bytes` behind it. `before` stays valid for those that have it; the
  /// result has no reference of its own but that of this object. REQUIRES: `bytes` is not empty.
  [[nodiscard]] Extent append(const Extent& before, Bytes bytes);

  /// The sources of bytes are about to change.
  void forget();

 private:
  [[nodiscard]] Extent write(const Extent& before, Bytes bytes);
  void hold(Extent& extent, const Extent& other);

  ChunkPool* pool_;
  Bytes bytes_;  // Empty: nothing is remembered.
  Extent before_;
  Extent after_;
};

}  // namespace zpost::net
