// Buffers of outgoing frames: counted references, in a few sizes, used again.
//
// A frame that was handed to libzmq stays here as the copy for resending, so its bytes have two
// kinds of holders: the ledger, and libzmq until it has written them.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "zpost/protocol/msgpack_reader.h"

namespace zpost::peer {

class FramePool;

/// The bytes of one frame. Used through FrameRef.
struct FrameBuffer {
  std::unique_ptr<std::byte[]> bytes;
  std::size_t capacity = 0;
  std::size_t size = 0;
  std::size_t size_class = 0;
  std::size_t kept = 0;  // Bytes of it that are copies for resending: the ledger's.
  FramePool* pool = nullptr;
  FrameBuffer* next = nullptr;            // While it waits in the pool.
  std::atomic<int>* in_flight = nullptr;  // Counts frames that libzmq holds; see Link.
  std::atomic<std::uint32_t> references{0};
};

/// A counted reference to a frame's bytes. May be released on any thread.
class FrameRef {
 public:
  FrameRef() = default;

  explicit FrameRef(FrameBuffer* buffer) : buffer_(buffer) { acquire(); }

  FrameRef(const FrameRef& other) : buffer_(other.buffer_) { acquire(); }

  FrameRef(FrameRef&& other) noexcept : buffer_(std::exchange(other.buffer_, nullptr)) {}

  FrameRef& operator=(FrameRef other) noexcept {
    std::swap(buffer_, other.buffer_);
    return *this;
  }

  ~FrameRef() { reset(); }

  void reset();

  explicit operator bool() const { return buffer_ != nullptr; }

  FrameBuffer* operator->() const { return buffer_; }

  [[nodiscard]] Bytes bytes() const { return {buffer_->bytes.get(), buffer_->size}; }

  /// Gives the reference away as a pointer; FrameRef::adopt takes it back.
  [[nodiscard]] FrameBuffer* release() { return std::exchange(buffer_, nullptr); }

  [[nodiscard]] static FrameRef adopt(FrameBuffer* buffer) {
    FrameRef reference;
    reference.buffer_ = buffer;
    return reference;
  }

 private:
  void acquire() {
    if (buffer_ != nullptr) buffer_->references.fetch_add(1, std::memory_order_relaxed);
  }

  FrameBuffer* buffer_ = nullptr;
};

/// Thread: acquire() by one at a time; references may be dropped on any. Must outlive them.
class FramePool {
 public:
  FramePool() = default;
  ~FramePool();
  FramePool(const FramePool&) = delete;
  FramePool& operator=(const FramePool&) = delete;

  /// An empty buffer for at least `capacity` bytes.
  [[nodiscard]] FrameRef acquire(std::size_t capacity);

  /// The capacity of all buffers, of those in use and those that wait for their next.
  [[nodiscard]] std::size_t allocated_bytes() const {
    return allocated_.load(std::memory_order_relaxed);
  }

  /// The capacity acquire(capacity) would give.
  [[nodiscard]] static std::size_t rounded(std::size_t capacity);

 private:
  friend class FrameRef;
  static constexpr std::array<std::size_t, 6> kClasses = {256, 1024, 4096, 16384, 65536, 262144};

  struct Shelf {
    FrameBuffer* ready = nullptr;                 // Only acquire() touches it.
    std::atomic<FrameBuffer*> returned{nullptr};  // Pushed one by one, taken all at once.
  };

  [[nodiscard]] static std::size_t class_of(std::size_t capacity);
  void give_back(FrameBuffer* buffer);

  std::array<Shelf, kClasses.size()> shelves_;
  std::atomic<std::size_t> allocated_{0};
};

inline void FrameRef::reset() {
  FrameBuffer* const buffer = std::exchange(buffer_, nullptr);
  if (buffer == nullptr) return;
  if (buffer->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    buffer->pool->give_back(buffer);
  }
}

}  // namespace zpost::peer
