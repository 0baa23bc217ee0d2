#include "broker/net/bundle_queue.h"

#include <cassert>
#include <cstring>

#include "zpost/protocol/envelope.h"

namespace zpost::net {

namespace {

// Small bundles that wait behind others share chunks of this size, or each would hold 512 bytes.
constexpr std::size_t kSharedBytes = 4 << 10;
constexpr std::size_t kSmallBytes = 1 << 10;

}  // namespace

void BundleQueue::append(Bytes bytes, bool fresh) {
  assert(fresh || open_);
  if (fresh) {
    close();
    begin(bytes.size());
  }
  Bundle& last = bundles_.back();
  if (!writable(last, bytes.size())) move_to(last, last.end + bytes.size());
  if (!bytes.empty()) std::memcpy(last.chunk->data + last.end, bytes.data(), bytes.size());
  last.end += static_cast<std::uint32_t>(bytes.size());
}

/// Whether `bytes` may be written behind the bundle's own.
bool BundleQueue::writable(const Bundle& bundle, std::size_t bytes) {
  return bundle.chunk->base == nullptr && bundle.end + bytes <= bundle.chunk->capacity;
}

void BundleQueue::append_shared(Bytes bytes, bool fresh, SharedAppend& appender) {
  assert(fresh || open_);
  if (fresh) {
    close();
    shares_ = false;
    bundles_.push_back({});
    open_ = true;
  }
  Bundle& last = bundles_.back();
  if (last.chunk != nullptr && last.chunk->base == nullptr) return append(bytes, false);
  Chunk* const base = last.chunk == nullptr ? nullptr : last.chunk->base;
  const SharedAppend::Extent after = appender.append({base, last.begin, last.end}, bytes);
  if (after.base != base) {
    if (last.chunk != nullptr) pool_->drop(last.chunk);
    last.chunk = pool_->view(*after.base);
  }
  last.begin = after.begin;
  last.end = after.end;
}

/// A new open bundle whose first `bytes` fit.
void BundleQueue::begin(std::size_t bytes) {
  open_ = true;
  if (shares_ && bundles_.back().end + bytes <= bundles_.back().chunk->capacity) {
    const Bundle& last = bundles_.back();
    last.chunk->references.fetch_add(1, std::memory_order_relaxed);
    bundles_.push_back({last.chunk, last.end, last.end});
    return;
  }
  shares_ = waiting() > 1 && bytes <= kSmallBytes;
  bundles_.push_back({pool_->take(shares_ ? kSharedBytes : bytes), 0, 0});
}

void BundleQueue::append_whole(zmq_msg_t& message) {
  close();
  shares_ = false;
  Chunk* const chunk = pool_->share(message);
  bundles_.push_back({chunk, 0, chunk->capacity});
}

const Bundle* BundleQueue::next_waiting() {
  if (waiting() == 0) return nullptr;
  if (waiting() == 1) close();
  return &bundles_[handed_];
}

void BundleQueue::release(std::uint32_t count) {
  assert(count <= handed_);
  handed_ -= count;
  for (; count > 0; --count) {
    const Bundle& oldest = bundles_.front();
    // Of small ones the pipe's limit of frames is bound enough.
    const bool alone = oldest.size() > kSharedBytes;
    if (!alone || oldest.chunk->references.load(std::memory_order_acquire) == 1) {
      pool_->drop(oldest.chunk);
    } else {
      leaving_bytes_ += oldest.size();
      leaving_.push_back(oldest);
    }
    bundles_.pop_front();
  }
  if (bundles_.empty()) shares_ = false;
}

void BundleQueue::move_front(BundleQueue& to) {
  assert(handed_ == 0 && !bundles_.empty());
  if (bundles_.size() == 1) close();
  to.close();
  to.shares_ = false;
  to.bundles_.push_back(bundles_.front());
  bundles_.pop_front();
  if (bundles_.empty()) shares_ = false;
}

void BundleQueue::drop_oldest(std::uint32_t count) {
  assert(handed_ == 0 && count <= bundles_.size());
  for (; count > 0; --count, bundles_.pop_front()) {
    if (bundles_.size() == 1) close();
    pool_->drop(bundles_.front().chunk);
  }
  if (bundles_.empty()) shares_ = false;
}

bool BundleQueue::may_leave(std::size_t bytes) {
  forget_left();
  return leaving_.empty() || leaving_bytes_ + bytes <= kMaxLeaving;
}

void BundleQueue::forget_left() {
  while (!leaving_.empty() &&
         leaving_.front().chunk->references.load(std::memory_order_acquire) == 1) {
    leaving_bytes_ -= leaving_.front().size();
    pool_->drop(leaving_.front().chunk);
    leaving_.pop_front();
  }
}

void BundleQueue::rewind(std::uint32_t count) {
  handed_ = 0;
  if (count == 0 || bundles_.empty()) return;
  Bundle& oldest = bundles_.front();
  FrameReader reader(oldest.bytes());
  EnvelopeView view;
  while (count > 0 && reader.next(view)) {
    if (is_program_lane(view.kind())) --count;
    oldest.begin += static_cast<std::uint32_t>(view.bytes.size());
  }
  assert(count == 0);
}

void BundleQueue::clear() {
  for (; !bundles_.empty(); bundles_.pop_front()) pool_->drop(bundles_.front().chunk);
  for (; !leaving_.empty(); leaving_.pop_front()) pool_->drop(leaving_.front().chunk);
  bundles_.clear();
  leaving_.clear();
  leaving_bytes_ = 0;
  handed_ = 0;
  open_ = shares_ = false;
}

/// Ends the open bundle, and moves it down if a smaller chunk holds it, so that little is held by
/// little.
void BundleQueue::close() {
  if (!open_) return;
  open_ = false;
  if (shares_ || bundles_.back().chunk->base != nullptr) return;
  Bundle& last = bundles_.back();
  if (last.size() * 2 >= last.chunk->capacity) return;
  if (ChunkPool::capacity_for(last.size()) < last.chunk->capacity) move_to(last, last.size());
}

void BundleQueue::move_to(Bundle& bundle, std::size_t capacity) {
  shares_ = false;
  Chunk* const chunk = pool_->take(capacity);
  const std::uint32_t size = bundle.size();
  std::memcpy(chunk->data, bundle.chunk->data + bundle.begin, size);
  pool_->drop(bundle.chunk);
  bundle = {chunk, 0, size};
}

}  // namespace zpost::net
