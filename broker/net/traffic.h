// How much went over the wire.
#pragma once

#include <cstddef>
#include <cstdint>

namespace zpost::net {

struct Traffic {
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;

  void add(std::size_t size) {
    ++frames;
    bytes += size;
  }
};

}  // namespace zpost::net
