// The frame that is being filled: envelopes gather here until it goes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "peer/src/frame_pool.h"
#include "peer/src/ledger.h"

namespace zpost::peer {

/// Thread: one at a time, as its owner says.
class OpenFrame {
 public:
  explicit OpenFrame(FramePool& pool) : pool_(&pool) {}

  [[nodiscard]] bool empty() const { return size_ == 0; }

  [[nodiscard]] std::size_t size() const { return size_; }

  /// Of the latest envelope put in. REQUIRES: !empty().
  [[nodiscard]] const Ledger::Recipient* last_recipient() const { return parts_.back().to; }

  /// Whether `bytes` more may be written. An empty frame takes any number.
  [[nodiscard]] bool fits(std::size_t bytes) const { return size_ == 0 || size_ + bytes <= limit_; }

  /// How much more fits into the frame as it is. REQUIRES: !empty(), or after reserve().
  [[nodiscard]] std::size_t room() const { return limit_ - size_; }

  /// Where to write the next envelope of at most `bytes`. An empty frame gets room for
  /// `capacity` bytes, or for `bytes` if that is more. REQUIRES: fits(bytes).
  [[nodiscard]] std::byte* reserve(std::size_t bytes, std::size_t capacity) {
    if (size_ == 0) start(bytes > capacity ? bytes : capacity);
    return buffer_->bytes.get() + size_;
  }

  /// Accounts for envelopes that were written at reserve()'s pointer.
  void commit(Ledger::Recipient& to, const Extent& written) {
    if (parts_.empty() || parts_.back().to != &to || !extend(parts_.back().extent, written)) {
      parts_.push_back({&to, static_cast<std::uint32_t>(size_), written});
    }
    size_ += written.bytes;
  }

  /// Of the latest envelope put in. REQUIRES: !empty().
  [[nodiscard]] std::uint64_t last_id() const { return parts_.back().extent.last_id(); }

  /// Ends the frame: its copies go to the ledger, its bytes are returned. REQUIRES: !empty().
  [[nodiscard]] FrameRef seal(Ledger& ledger);

 private:
  struct Part {
    Ledger::Recipient* to = nullptr;
    std::uint32_t offset = 0;
    Extent extent;
  };

  void start(std::size_t capacity);
  [[nodiscard]] static bool extend(Extent& extent, const Extent& written);

  FramePool* pool_;
  FrameRef buffer_;
  std::size_t size_ = 0;
  std::size_t limit_ = 0;
  std::vector<Part> parts_;
};

inline bool OpenFrame::extend(Extent& extent, const Extent& written) {
  if (extent.request != written.request || extent.first_id + extent.count != written.first_id) {
    return false;
  }
  if (extent.each != written.each) extent.each = 0;
  extent.bytes += written.bytes;
  extent.count += written.count;
  return true;
}

}  // namespace zpost::peer
