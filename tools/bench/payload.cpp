#include "tools/bench/payload.h"

#include <array>
#include <cstring>

namespace zpost::bench {
namespace {

constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15;  // Odd: all 2^64 words before one repeats.
constexpr std::size_t kWord = sizeof(std::uint64_t);
constexpr std::size_t kBlockWords = 8;
constexpr std::size_t kBlock = kBlockWords * kWord;

using Block = std::array<std::uint64_t, kBlockWords>;

std::uint64_t first_word(PayloadId id) {
  return (id.sequence + 1) * 0xbf58476d1ce4e5b9 ^ (id.pair + 1) * 0x94d049bb133111eb;
}

// Whole blocks have a constant size, so that the compiler turns them into vector instructions.
Block pattern_block(std::uint64_t word) {
  Block block;
  for (std::size_t i = 0; i < kBlockWords; ++i) block[i] = word + i * kStep;
  return block;
}

void write_pattern(std::uint64_t word, std::span<std::byte> out) {
  for (; out.size() >= kBlock; out = out.subspan(kBlock), word += kBlockWords * kStep) {
    const Block block = pattern_block(word);
    std::memcpy(out.data(), block.data(), kBlock);
  }
  for (; out.size() >= kWord; out = out.subspan(kWord), word += kStep) {
    std::memcpy(out.data(), &word, kWord);
  }
  std::memcpy(out.data(), &word, out.size());
}

bool matches_pattern(std::uint64_t word, std::span<const std::byte> in) {
  std::uint64_t difference = 0;
  for (; in.size() >= kBlock; in = in.subspan(kBlock), word += kBlockWords * kStep) {
    const Block expected = pattern_block(word);
    Block found;
    std::memcpy(found.data(), in.data(), kBlock);
    for (std::size_t i = 0; i < kBlockWords; ++i) difference |= found[i] ^ expected[i];
  }
  for (; in.size() >= kWord; in = in.subspan(kWord), word += kStep) {
    std::uint64_t found = 0;
    std::memcpy(&found, in.data(), kWord);
    difference |= found ^ word;
  }
  return difference == 0 && std::memcmp(in.data(), &word, in.size()) == 0;
}

}  // namespace

void write_payload(PayloadId id, std::span<std::byte> out) {
  std::memcpy(out.data(), &id.sequence, kWord);
  std::memcpy(out.data() + kWord, &id.pair, kWord);
  write_pattern(first_word(id), out.subspan(kMinPayloadBytes));
}

std::optional<PayloadId> verify_payload(std::span<const std::byte> payload) {
  if (payload.size() < kMinPayloadBytes) return std::nullopt;
  PayloadId id;
  std::memcpy(&id.sequence, payload.data(), kWord);
  std::memcpy(&id.pair, payload.data() + kWord, kWord);
  if (!matches_pattern(first_word(id), payload.subspan(kMinPayloadBytes))) return std::nullopt;
  return id;
}

}  // namespace zpost::bench
