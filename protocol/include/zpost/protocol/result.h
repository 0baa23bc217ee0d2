// A value or an error: what fallible functions return.
#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "zpost/protocol/outcomes.h"

namespace zpost {

/// What went wrong. `code` is for programs, `text` for people and never parsed.
struct Error {
  Outcome code = Outcome::kMalformed;
  std::string text;
};

/// Either a T or an error E. Like std::expected, which g++ 12 lacks in C++20.
template <typename T, typename E = Error>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}  // NOLINT(google-explicit-constructor)

  Result(E error) : state_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool has_value() const { return std::holds_alternative<T>(state_); }

  explicit operator bool() const { return has_value(); }

  /// REQUIRES: has_value().
  [[nodiscard]] T& value() {
    assert(has_value());
    return *std::get_if<T>(&state_);
  }

  [[nodiscard]] const T& value() const {
    assert(has_value());
    return *std::get_if<T>(&state_);
  }

  T& operator*() { return value(); }

  const T& operator*() const { return value(); }

  T* operator->() { return &value(); }

  const T* operator->() const { return &value(); }

  /// REQUIRES: !has_value().
  [[nodiscard]] const E& error() const {
    assert(!has_value());
    return *std::get_if<E>(&state_);
  }

 private:
  std::variant<T, E> state_;
};

/// Success without a value, or an error E.
template <typename E>
class [[nodiscard]] Result<void, E> {
 public:
  Result() = default;

  Result(E error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool has_value() const { return !error_.has_value(); }

  explicit operator bool() const { return has_value(); }

  /// REQUIRES: !has_value().
  [[nodiscard]] const E& error() const {
    assert(!has_value());
    return *error_;
  }

 private:
  std::optional<E> error_;
};

}  // namespace zpost
