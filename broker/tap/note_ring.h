// The way of the core's notes from the routing thread to the tap's.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "zpost/protocol/msgpack_reader.h"
#include "zpost/protocol/tap_record.h"

namespace zpost::tap {

/// A ring of entries of any size, bounded in bytes. Nothing in it blocks: what does not fit is
/// refused. Thread: put() and publish() one thread, front() and pop() one other.
class NoteRing {
 public:
  enum class Type : std::uint32_t { kSkip, kName, kRecord };

  struct Entry {
    Type type = Type::kSkip;
    TapRecord record;  // Of a kName: `from` is the number, `code` the version's low bits.
    Bytes extra;       // The name, or the envelopes' bytes. Valid until pop().
  };

  /// `bytes` is rounded up to a power of two.
  explicit NoteRing(std::size_t bytes);

  /// False: there is no room. What was put is seen by the other side after publish().
  [[nodiscard]] bool put(Type type, const TapRecord& record, Bytes extra);

  void publish() { head_.store(written_, std::memory_order_release); }

  /// How far was put, and read: what was put before a position is read once that is reached.
  [[nodiscard]] std::uint64_t written() const { return written_; }

  [[nodiscard]] std::uint64_t read() const { return read_; }

  /// Whether more than half of it waits, as far as the writer knows.
  [[nodiscard]] bool half_full() const {
    return written_ - tail_.load(std::memory_order_relaxed) > capacity_ / 2;
  }

  /// The oldest entry; false: there is none.
  [[nodiscard]] bool front(Entry& entry);
  void pop();

 private:
  struct Header {
    std::uint32_t size = 0;  // Of the whole entry, a multiple of kAlignment.
    Type type = Type::kSkip;
    std::uint32_t extra = 0;
    std::uint32_t unused = 0;
  };

  static constexpr std::size_t kAlignment = 16;

  [[nodiscard]] std::byte* at(std::uint64_t position) const {
    return bytes_.get() + (position & (capacity_ - 1));
  }

  const std::size_t capacity_;
  std::unique_ptr<std::byte[]> bytes_;
  // Each side's own on a cache line of its own.
  alignas(64) std::uint64_t written_ = 0;
  std::uint64_t known_tail_ = 0;
  alignas(64) std::uint64_t read_ = 0;
  std::uint64_t known_head_ = 0;
  alignas(64) std::atomic<std::uint64_t> head_{0};
  alignas(64) std::atomic<std::uint64_t> tail_{0};
};

}  // namespace zpost::tap
