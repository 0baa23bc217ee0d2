// A queue in one block of memory.
#pragma once

#include <cassert>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

namespace zpost::core {

/// First in, first out, growing by doubling. An empty ring that has never held anything owns no
/// memory, and one that runs empty after having been large gives it back. Thread: one.
template <typename T>
class Ring {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  [[nodiscard]] bool empty() const { return size_ == 0; }

  [[nodiscard]] std::size_t size() const { return size_; }

  [[nodiscard]] T& operator[](std::size_t index) { return items_[(head_ + index) & mask()]; }

  [[nodiscard]] const T& operator[](std::size_t index) const {
    return items_[(head_ + index) & mask()];
  }

  [[nodiscard]] T& front() { return (*this)[0]; }

  [[nodiscard]] const T& front() const { return (*this)[0]; }

  [[nodiscard]] T& back() { return (*this)[size_ - 1]; }

  [[nodiscard]] const T& back() const { return (*this)[size_ - 1]; }

  void push_back(const T& item) {
    if (size_ == capacity_) grow();
    items_[(head_ + size_) & mask()] = item;
    ++size_;
  }

  void pop_front() {
    assert(size_ > 0);
    ++head_;
    if (--size_ == 0 && capacity_ > kKeptCapacity) release();
  }

  void clear() { release(); }

 private:
  static constexpr std::size_t kFirstCapacity = 8;
  static constexpr std::size_t kKeptCapacity = 256;

  [[nodiscard]] std::size_t mask() const { return capacity_ - 1; }

  void grow() {
    const std::size_t capacity = capacity_ == 0 ? kFirstCapacity : capacity_ * 2;
    auto items = std::make_unique<T[]>(capacity);
    for (std::size_t i = 0; i < size_; ++i) items[i] = (*this)[i];
    items_ = std::move(items);
    capacity_ = capacity;
    head_ = 0;
  }

  void release() {
    items_.reset();
    capacity_ = head_ = size_ = 0;
  }

  std::unique_ptr<T[]> items_;
  std::size_t capacity_ = 0;
  std::size_t head_ = 0;
  std::size_t size_ = 0;
};

}  // namespace zpost::core
