// The hot parts of envelope.h. Include that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "zpost/protocol/envelope.h"

namespace zpost {
namespace internal {

inline std::uint8_t byte_at(const std::byte* at) {
  return static_cast<std::uint8_t>(*at);
}

template <typename Unsigned>
inline Unsigned load_big_endian(const std::byte* at) {
  Unsigned value = 0;
  std::memcpy(&value, at, sizeof value);
  if constexpr (sizeof(Unsigned) == 2) return __builtin_bswap16(value);
  if constexpr (sizeof(Unsigned) == 4) return __builtin_bswap32(value);
  if constexpr (sizeof(Unsigned) == 8) return __builtin_bswap64(value);
}

// Branches on tags rather than computed lengths: the processor predicts the tags of a stream, which
// are all alike, and goes on with the next field before this one is loaded.

/// The uint at `at`: returns its end, or null for another type. REQUIRES: 9 bytes there.
inline const std::byte* load_uint(const std::byte* at, std::uint64_t& value) {
  const std::uint8_t tag = byte_at(at);
  if (tag < 0x80) {
    value = tag;
    return at + 1;
  }
  switch (tag) {
    case 0xcf:
      value = load_big_endian<std::uint64_t>(at + 1);
      return at + 9;
    case 0xce:
      value = load_big_endian<std::uint32_t>(at + 1);
      return at + 5;
    case 0xcd:
      value = load_big_endian<std::uint16_t>(at + 1);
      return at + 3;
    case 0xcc:
      value = byte_at(at + 1);
      return at + 2;
    default:
      return nullptr;
  }
}

/// The tag of a bin at `at`: returns its end, where the content starts, or null for another type.
/// REQUIRES: 5 bytes there.
inline const std::byte* load_bin_tag(const std::byte* at, std::size_t& length) {
  switch (byte_at(at)) {
    case 0xc4:
      length = byte_at(at + 1);
      return at + 2;
    case 0xc5:
      length = load_big_endian<std::uint16_t>(at + 1);
      return at + 3;
    case 0xc6:
      length = load_big_endian<std::uint32_t>(at + 1);
      return at + 5;
    default:
      return nullptr;
  }
}

}  // namespace internal

inline bool FrameReader::next(EnvelopeView& view) {
  return next_common(view) || next_any(view);
}

inline bool FrameReader::next_common(EnvelopeView& view) {
  constexpr std::size_t kLongestName = 31;  // Of a fixstr.
  constexpr std::size_t kLongestHeader = 2 + 2 * (1 + kLongestName) + 9 + 1 + 5;
  constexpr auto kByteAt = internal::byte_at;
  const std::byte* const begin = reader_.cursor();
  const std::size_t left = reader_.left();
  if (left < kLongestHeader) return false;

  const std::uint8_t kind = kByteAt(begin + 1);
  const std::uint8_t to_tag = kByteAt(begin + 2);
  const std::size_t to_bytes = to_tag & 0x1fU;
  const std::byte* const to = begin + 3;
  const std::uint8_t from_tag = kByteAt(to + to_bytes);
  const std::size_t from_bytes = from_tag & 0x1fU;
  const std::byte* const from = to + to_bytes + 1;
  const bool fits =
      kByteAt(begin) == 0x96 && kind < 0x80 && (to_tag & 0xe0) == 0xa0 && (from_tag & 0xe0) == 0xa0;
  if (!fits) return false;

  std::uint64_t id = 0;
  const std::byte* const meta = internal::load_uint(from + from_bytes, id);
  if (meta == nullptr || kByteAt(meta) != 0x80) return false;
  std::size_t body_bytes = 0;
  const std::byte* const body = internal::load_bin_tag(meta + 1, body_bytes);
  if (body == nullptr) return false;
  const std::size_t total = static_cast<std::size_t>(body - begin) + body_bytes;
  if (total > left) return false;

  view.kind_number = kind;
  view.body_is_text = false;
  view.to = {reinterpret_cast<const char*>(to), to_bytes};
  view.from = {reinterpret_cast<const char*>(from), from_bytes};
  view.id = id;
  view.meta = {meta, 1};
  view.body = {body, body_bytes};
  view.bytes = {begin, total};
  reader_.advance(total);
  return true;
}

inline std::byte* EnvelopePrefix::write(std::byte* out, std::uint64_t id, Bytes body) const {
  // A copy of fixed length takes a third of the time of one of size_. What it copies beyond size_
  // is overwritten below: the body alone is long enough.
  constexpr std::size_t kFixed = 32;
  const bool fixed = size_ <= kFixed && body.size() >= kFixed;
  std::memcpy(out, bytes_, fixed ? kFixed : size_);
  out = put_uint(out + size_, id);
  out = put_byte(out, 0x80);
  return put_bytes(put_bin_tag(out, body.size()), body);
}

}  // namespace zpost
