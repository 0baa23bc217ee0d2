// An object that parent and forked children see at the same address.
#pragma once

#include <sys/mman.h>

#include <cerrno>
#include <cstddef>
#include <memory>
#include <span>
#include <system_error>
#include <type_traits>

namespace zpost::bench {

/// `count` value-initialised objects in anonymous shared memory. Children forked while it exists
/// share it; what they wrote stays readable when they are killed.
template <typename T>
class SharedArray {
 public:
  static_assert(std::is_trivially_destructible_v<T>);

  explicit SharedArray(std::size_t count) : count_(count) {
    void* const memory = mmap(nullptr, bytes(), PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
    objects_ = static_cast<T*>(memory);
    std::uninitialized_value_construct_n(objects_, count_);
  }

  ~SharedArray() { munmap(objects_, bytes()); }

  SharedArray(const SharedArray&) = delete;
  SharedArray& operator=(const SharedArray&) = delete;

  T& operator[](std::size_t index) { return objects_[index]; }

  const T& operator[](std::size_t index) const { return objects_[index]; }

  [[nodiscard]] std::span<T> all() { return {objects_, count_}; }

  [[nodiscard]] std::span<const T> all() const { return {objects_, count_}; }

 private:
  [[nodiscard]] std::size_t bytes() const { return count_ == 0 ? 1 : count_ * sizeof(T); }

  std::size_t count_;
  T* objects_ = nullptr;
};

}  // namespace zpost::bench
