// Bodies that say what they are and carry a number.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>

#include "zpost/protocol/envelope.h"

namespace zpost::sim {

/// 0 is none.
using Serial = std::uint64_t;

using BodyMark = std::array<char, 4>;

/// `size` bytes but at least twelve.
[[nodiscard]] inline std::string marked_body(const BodyMark& mark, Serial serial,
                                             std::size_t size) {
  std::string body(std::max(size, mark.size() + sizeof serial), 'x');
  std::memcpy(body.data(), mark.data(), mark.size());
  std::memcpy(body.data() + mark.size(), &serial, sizeof serial);
  return body;
}

/// 0 if the body has not this mark.
[[nodiscard]] inline Serial marked_serial(const BodyMark& mark, Bytes body) {
  Serial serial = 0;
  if (body.size() < mark.size() + sizeof serial) return 0;
  if (std::memcmp(body.data(), mark.data(), mark.size()) != 0) return 0;
  std::memcpy(&serial, body.data() + mark.size(), sizeof serial);
  return serial;
}

}  // namespace zpost::sim
