#include "peer/src/open_frame.h"

#include <cstring>
#include <utility>

namespace zpost::peer {

void OpenFrame::start(std::size_t capacity) {
  if (!buffer_ || buffer_->capacity < capacity ||
      buffer_->capacity > FramePool::rounded(capacity)) {
    buffer_ = pool_->acquire(capacity);
  }
  limit_ = capacity;
}

FrameRef OpenFrame::seal(Ledger& ledger) {
  FrameRef frame;
  if (FramePool::rounded(size_) < buffer_->capacity) {
    // A few bytes must not keep a large buffer from its next use until they are settled.
    frame = pool_->acquire(size_);
    std::memcpy(frame->bytes.get(), buffer_->bytes.get(), size_);
  } else {
    frame = std::move(buffer_);
  }
  frame->size = size_;
  for (const Part& part : parts_) {
    ledger.keep(*part.to, Run{part.extent, frame, part.offset});
  }
  parts_.clear();
  size_ = 0;
  return frame;
}

}  // namespace zpost::peer
