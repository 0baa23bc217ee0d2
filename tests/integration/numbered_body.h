// Bodies that can be checked: a number, then bytes that follow from it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

#include "zpost/protocol/envelope.h"

namespace zpost::test {

inline constexpr std::size_t kNumberBytes = 4;

inline std::byte filler(std::uint32_t number, std::size_t at) {
  return static_cast<std::byte>(number * 31 + at);
}

/// At least kNumberBytes, whatever `size` says.
inline void write_body(std::vector<std::byte>& body, std::uint32_t number, std::size_t size) {
  body.resize(std::max(size, kNumberBytes));
  std::memcpy(body.data(), &number, kNumberBytes);
  for (std::size_t i = kNumberBytes; i < body.size(); ++i) body[i] = filler(number, i);
}

/// Nothing if the body is none of write_body().
inline std::optional<std::uint32_t> read_body(Bytes body) {
  std::uint32_t number = 0;
  if (body.size() < kNumberBytes) return std::nullopt;
  std::memcpy(&number, body.data(), kNumberBytes);
  for (std::size_t i = kNumberBytes; i < body.size(); ++i) {
    if (body[i] != filler(number, i)) return std::nullopt;
  }
  return number;
}

}  // namespace zpost::test
