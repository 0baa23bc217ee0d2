#include "peer/src/frame_pool.h"

#include <cassert>

namespace zpost::peer {

FramePool::~FramePool() {
  for (Shelf& shelf : shelves_) {
    for (FrameBuffer* list : {shelf.ready, shelf.returned.load()}) {
      while (list != nullptr) {
        const std::unique_ptr<FrameBuffer> owner(list);
        list = owner->next;
      }
    }
  }
}

std::size_t FramePool::class_of(std::size_t capacity) {
  std::size_t index = 0;
  while (index < kClasses.size() && kClasses[index] < capacity) ++index;
  return index;
}

std::size_t FramePool::rounded(std::size_t capacity) {
  const std::size_t index = class_of(capacity);
  return index < kClasses.size() ? kClasses[index] : capacity;
}

FrameRef FramePool::acquire(std::size_t capacity) {
  const std::size_t index = class_of(capacity);
  if (index < kClasses.size()) {
    Shelf& shelf = shelves_[index];
    if (shelf.ready == nullptr) {
      // Taking the whole list leaves no room for the ABA problem of taking one.
      shelf.ready = shelf.returned.exchange(nullptr, std::memory_order_acquire);
    }
    if (shelf.ready != nullptr) {
      FrameBuffer* const buffer = shelf.ready;
      shelf.ready = buffer->next;
      assert(buffer->kept == 0);
      buffer->size = 0;
      return FrameRef(buffer);
    }
  }
  auto fresh = std::make_unique<FrameBuffer>();
  fresh->capacity = rounded(capacity);
  fresh->bytes = std::make_unique_for_overwrite<std::byte[]>(fresh->capacity);
  fresh->size_class = index;
  fresh->pool = this;
  allocated_.fetch_add(fresh->capacity, std::memory_order_relaxed);
  return FrameRef(fresh.release());
}

void FramePool::give_back(FrameBuffer* buffer) {
  if (buffer->size_class >= kClasses.size()) {
    const std::unique_ptr<FrameBuffer> owner(buffer);  // Larger than any class: freed.
    allocated_.fetch_sub(buffer->capacity, std::memory_order_relaxed);
    return;
  }
  std::atomic<FrameBuffer*>& returned = shelves_[buffer->size_class].returned;
  buffer->next = returned.load(std::memory_order_relaxed);
  while (!returned.compare_exchange_weak(buffer->next, buffer, std::memory_order_release,
                                         std::memory_order_relaxed)) {
  }
}

}  // namespace zpost::peer
