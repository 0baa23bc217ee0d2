// Where a history's choices come from: a seed, or the bytes of a fuzzer.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace zpost::sim {

class Dice {
 public:
  virtual ~Dice() = default;

  /// A number below `limit`. REQUIRES: limit > 0.
  [[nodiscard]] virtual std::uint64_t below(std::uint64_t limit) = 0;
  /// No choice is left: the history should end.
  [[nodiscard]] virtual bool exhausted() const = 0;

  [[nodiscard]] std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return low + below(high - low + 1);
  }

  /// True once in `times`.
  [[nodiscard]] bool once_in(std::uint64_t times) { return below(times) == 0; }

  template <typename Container>
  [[nodiscard]] auto& pick(Container& from) {
    return from[below(from.size())];
  }

  [[nodiscard]] std::string bytes(std::uint64_t count) {
    std::string all;
    for (; count > 0 && !exhausted(); --count) all += static_cast<char>(below(256));
    return all;
  }
};

/// The same choices on every machine. (splitmix64)
class SeededDice final : public Dice {
 public:
  explicit SeededDice(std::uint64_t seed) : state_(seed) {}

  [[nodiscard]] std::uint64_t below(std::uint64_t limit) override {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return (z ^ (z >> 31)) % limit;
  }

  [[nodiscard]] bool exhausted() const override { return false; }

 private:
  std::uint64_t state_;
};

/// Choices from bytes, one each where that is enough; zero when they have run out.
class BytesDice final : public Dice {
 public:
  explicit BytesDice(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  [[nodiscard]] std::uint64_t below(std::uint64_t limit) override {
    std::uint64_t value = 0;
    for (std::uint64_t range = 1; range < limit && !exhausted(); range *= 256) {
      value = value * 256 + bytes_.front();
      bytes_ = bytes_.subspan(1);
      if (range > UINT64_MAX / 256) break;
    }
    return value % limit;
  }

  [[nodiscard]] bool exhausted() const override { return bytes_.empty(); }

 private:
  std::span<const std::uint8_t> bytes_;
};

}  // namespace zpost::sim
