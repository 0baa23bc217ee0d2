// Numbered places that are used again, and the hash for tables that are looked up by text.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string_view>
#include <vector>

namespace zpost::core {

/// Values by number. What is freed is the first to be used again. Values do not move: references
/// stay valid until free(). Thread: one.
template <typename T>
class Slots {
 public:
  /// The number of a value as T{} makes it.
  std::uint32_t take() {
    if (free_.empty()) {
      values_.emplace_back();
      return static_cast<std::uint32_t>(values_.size() - 1);
    }
    const std::uint32_t number = free_.back();
    free_.pop_back();
    return number;
  }

  void free(std::uint32_t number) {
    values_[number] = T{};
    free_.push_back(number);
  }

  [[nodiscard]] T& operator[](std::uint32_t number) { return values_[number]; }

  [[nodiscard]] const T& operator[](std::uint32_t number) const { return values_[number]; }

  /// Numbers are below this.
  [[nodiscard]] std::uint32_t end() const { return static_cast<std::uint32_t>(values_.size()); }

  [[nodiscard]] std::size_t used() const { return values_.size() - free_.size(); }

 private:
  std::deque<T> values_;
  std::vector<std::uint32_t> free_;
};

/// So that a table of strings can be looked up by a view.
struct TextHash {
  using is_transparent = void;

  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};

}  // namespace zpost::core
