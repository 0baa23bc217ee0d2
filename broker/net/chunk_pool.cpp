#include "broker/net/chunk_pool.h"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <memory>
#include <new>
#include <utility>

namespace zpost::net {

namespace {

// The header stands before the bytes in one block.
constexpr std::size_t kHeaderBytes = (sizeof(Chunk) + 15) / 16 * 16;

Chunk* make_chunk(std::size_t bytes) {
  void* const block = std::malloc(kHeaderBytes + bytes);
  if (block == nullptr) throw std::bad_alloc();
  Chunk* const chunk = std::construct_at(static_cast<Chunk*>(block));
  chunk->capacity = static_cast<std::uint32_t>(bytes);
  chunk->data = static_cast<std::byte*>(block) + kHeaderBytes;
  return chunk;
}

/// REQUIRES: chunk.whole. The message whose content `data` is.
zmq_msg_t* message_of(Chunk& chunk) {
  return reinterpret_cast<zmq_msg_t*>(reinterpret_cast<std::byte*>(&chunk) + kHeaderBytes);
}

}  // namespace

ChunkPool::~ChunkPool() {
  collect_returned();
  for (IdleList& list : idle_) {
    while (list.head != nullptr) destroy(std::exchange(list.head, list.head->next));
  }
}

std::uint32_t ChunkPool::capacity_for(std::size_t bytes) {
  const auto* const fit = std::lower_bound(kClasses.begin(), kClasses.end(), bytes);
  return fit == kClasses.end() ? static_cast<std::uint32_t>(bytes) : *fit;
}

std::size_t ChunkPool::class_of(std::uint32_t capacity) {
  const auto* const at = std::lower_bound(kClasses.begin(), kClasses.end(), capacity);
  return static_cast<std::size_t>(at - kClasses.begin());
}

Chunk* ChunkPool::take(std::size_t bytes) {
  const std::uint32_t capacity = capacity_for(bytes);
  ++in_use_;
  if (const std::size_t index = class_of(capacity); index < idle_.size()) {
    IdleList& list = idle_[index];
    if (list.head == nullptr) collect_returned();
    if (list.head != nullptr) {
      Chunk* const chunk = std::exchange(list.head, list.head->next);
      list.least = std::min(list.least, --list.count);
      idle_bytes_ -= capacity;
      chunk->references.store(1, std::memory_order_relaxed);
      return chunk;
    }
  }
  // Out of the classes none is ever reused, so nothing else would ask for what came back.
  collect_returned();
  Chunk* const chunk = make_chunk(capacity);
  chunk->pool = this;
  return chunk;
}

Chunk* ChunkPool::share(zmq_msg_t& message) {
  collect_returned();
  ++in_use_;
  Chunk* const chunk = make_chunk(sizeof(zmq_msg_t));
  chunk->pool = this;
  chunk->whole = true;
  zmq_msg_t* const own = message_of(*chunk);
  zmq_msg_init(own);
  zmq_msg_copy(own, &message);
  chunk->data = static_cast<std::byte*>(zmq_msg_data(own));
  chunk->capacity = static_cast<std::uint32_t>(zmq_msg_size(own));
  return chunk;
}

Chunk* ChunkPool::view(Chunk& base) {
  collect_returned();
  ++in_use_;
  Chunk* const chunk = make_chunk(0);
  chunk->pool = this;
  chunk->base = &base;
  base.references.fetch_add(1, std::memory_order_relaxed);
  chunk->data = base.data;
  chunk->capacity = base.capacity;
  return chunk;
}

void ChunkPool::drop(Chunk* chunk) {
  if (chunk->references.fetch_sub(1, std::memory_order_acq_rel) == 1) put_idle(chunk);
}

void ChunkPool::make_message(Chunk& chunk, std::size_t begin, std::size_t bytes,
                             zmq_msg_t& message) {
  chunk.references.fetch_add(1, std::memory_order_relaxed);
  zmq_msg_init_data(&message, chunk.data + begin, bytes, &ChunkPool::on_sent, &chunk);
}

void ChunkPool::on_sent(void* /*data*/, void* hint) {
  auto* const chunk = static_cast<Chunk*>(hint);
  if (chunk->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  std::atomic<Chunk*>& returned = chunk->pool->returned_;
  chunk->next = returned.load(std::memory_order_relaxed);
  while (!returned.compare_exchange_weak(chunk->next, chunk, std::memory_order_release,
                                         std::memory_order_relaxed)) {
  }
}

void ChunkPool::collect_returned() {
  if (returned_.load(std::memory_order_relaxed) == nullptr) return;  // Cheap where none did.
  Chunk* chunk = returned_.exchange(nullptr, std::memory_order_acquire);
  while (chunk != nullptr) put_idle(std::exchange(chunk, chunk->next));
}

/// Takes a chunk without references: keeps it for reuse or gives it back to the heap.
void ChunkPool::put_idle(Chunk* chunk) {
  assert(in_use_ > 0);
  --in_use_;
  const std::size_t index = class_of(chunk->capacity);
  const bool own = !chunk->whole && chunk->base == nullptr;
  const bool pooled = own && index < idle_.size() && kClasses[index] == chunk->capacity;
  if (!pooled || idle_bytes_ + chunk->capacity > max_idle_bytes_) return destroy(chunk);
  chunk->next = std::exchange(idle_[index].head, chunk);
  ++idle_[index].count;
  idle_bytes_ += chunk->capacity;
}

void ChunkPool::destroy(Chunk* chunk) {
  if (chunk->whole) zmq_msg_close(message_of(*chunk));
  if (chunk->base != nullptr) drop(chunk->base);
  std::destroy_at(chunk);
  std::free(chunk);
}

void ChunkPool::trim() {
  collect_returned();
  for (IdleList& list : idle_) {
    give_back(list, (list.least + 1) / 2);
    list.least = list.count;
  }
}

void ChunkPool::give_back_all() {
  collect_returned();
  for (IdleList& list : idle_) give_back(list, list.count);
}

void ChunkPool::give_back(IdleList& list, std::size_t count) {
  for (; count > 0; --count) {
    Chunk* const chunk = std::exchange(list.head, list.head->next);
    list.least = std::min(list.least, --list.count);
    idle_bytes_ -= chunk->capacity;
    destroy(chunk);
  }
}

}  // namespace zpost::net
