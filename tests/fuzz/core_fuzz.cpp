// Bytes as the history of a broker: every choice of tests/sim is read from them, frames and their
// damage included, and everything it checks is checked.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <span>

#include "tests/sim/history.h"

namespace {

constexpr std::size_t kMostSteps = 500;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  zpost::sim::BytesDice dice(std::span(data, size));
  try {
    zpost::sim::History history(dice, {});
    history.run(kMostSteps);
  } catch (const std::exception& broken) {
    std::cerr << broken.what() << '\n';
    std::abort();
  }
  return 0;
}
