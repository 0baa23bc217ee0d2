#include "broker/net/bundle_queue.h"

#include <cassert>
#include <cstring>

#include "zpost/protocol/envelope.h"

namespace zpost::net {

void BundleQueue::append(Bytes bytes, bool fresh) {
  assert(fresh || open_);
  if (fresh) {
    close();
    bundles_.push_back({pool_->take(bytes.size()), 0, 0});
    open_ = true;
  }
  Bundle& last = bundles_.back();
  const std::size_t needed = last.end + bytes.size();
  if (needed > last.chunk->capacity) move_to(last, needed);
  if (!bytes.empty()) std::memcpy(last.chunk->data + last.end, bytes.data(), bytes.size());
  last.end += static_cast<std::uint32_t>(bytes.size());
}

void BundleQueue::append_whole(zmq_msg_t& message) {
  close();
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
    pool_->drop(bundles_.front().chunk);
    bundles_.pop_front();
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
  bundles_.clear();
  handed_ = 0;
  open_ = false;
}

/// Ends the open bundle, and moves it down if a smaller chunk holds it, so that little is held by
/// little.
void BundleQueue::close() {
  if (!open_) return;
  open_ = false;
  Bundle& last = bundles_.back();
  if (last.size() * 2 >= last.chunk->capacity) return;
  if (ChunkPool::capacity_for(last.size()) < last.chunk->capacity) move_to(last, last.size());
}

void BundleQueue::move_to(Bundle& bundle, std::size_t capacity) {
  Chunk* const chunk = pool_->take(capacity);
  const std::uint32_t size = bundle.size();
  std::memcpy(chunk->data, bundle.chunk->data + bundle.begin, size);
  pool_->drop(bundle.chunk);
  bundle = {chunk, 0, size};
}

}  // namespace zpost::net
