#include "broker/net/shared_append.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

namespace zpost::net {

SharedAppend::Extent SharedAppend::append(const Extent& before, Bytes bytes) {
  assert(!bytes.empty());
  const bool same = bytes.data() == bytes_.data() && bytes.size() == bytes_.size();
  if (same && before == before_) return after_;
  const Extent after = write(before, bytes);
  bytes_ = bytes;
  hold(before_, before);
  hold(after_, after);
  if (after.base != before.base) pool_->drop(after.base);  // after_ has it now.
  return after;
}

/// Behind the bytes that are there if nobody wrote behind them yet, else into a chunk of its own,
/// to which the caller has the reference.
SharedAppend::Extent SharedAppend::write(const Extent& before, Bytes bytes) {
  const auto size = static_cast<std::uint32_t>(bytes.size());
  if (before.base != nullptr && before.base->used == before.end &&
      before.base->capacity - before.end >= size) {
    std::memcpy(before.base->data + before.end, bytes.data(), size);
    before.base->used += size;
    return {before.base, before.begin, before.end + size};
  }
  const std::uint32_t old = before.end - before.begin;
  Chunk* const base = pool_->take(std::size_t{old} + size);
  if (old > 0) std::memcpy(base->data, before.base->data + before.begin, old);
  std::memcpy(base->data + old, bytes.data(), size);
  base->used = old + size;
  return {base, 0, old + size};
}

void SharedAppend::hold(Extent& extent, const Extent& other) {
  if (other.base != nullptr) other.base->references.fetch_add(1, std::memory_order_relaxed);
  if (extent.base != nullptr) pool_->drop(extent.base);
  extent = other;
}

void SharedAppend::forget() {
  bytes_ = {};
  hold(before_, {});
  hold(after_, {});
}

}  // namespace zpost::net
