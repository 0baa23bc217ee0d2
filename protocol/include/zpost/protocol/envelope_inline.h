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

namespace internal {

inline constexpr std::size_t kLongestFixstr = 31;
/// Array tag, kind, two short names, id, empty meta, bin tag.
inline constexpr std::size_t kLongestCommonHeader = 2 + 2 * (1 + kLongestFixstr) + 9 + 1 + 5;

/// Whether `size` bytes are equal. REQUIRES: size >= 4, and 8 bytes readable from every start.
inline bool equal_route(const std::byte* a, const std::byte* b, std::size_t size) {
  std::uint64_t x = 0;
  std::uint64_t y = 0;
  std::size_t at = 0;
  for (; at + sizeof x <= size; at += sizeof x) {
    std::memcpy(&x, a + at, sizeof x);
    std::memcpy(&y, b + at, sizeof y);
    if (x != y) return false;
  }
  if (at == size) return true;
  std::memcpy(&x, a + at, sizeof x);
  std::memcpy(&y, b + at, sizeof y);
  return ((x ^ y) << (8 * (sizeof x - (size - at)))) == 0;  // Little endian: the first bytes.
}

}  // namespace internal

inline bool FrameReader::next(EnvelopeView& view) {
  return next_repeated(view) || next_common(view) || next_any(view);
}

inline bool FrameReader::next_repeated(EnvelopeView& view) {
  const std::byte* const begin = reader_.cursor();
  if (route_ == nullptr || reader_.left() < internal::kLongestCommonHeader) return false;
  if (!internal::equal_route(begin, route_, route_bytes_)) return false;
  if (!finish_common(view, begin + route_bytes_)) return false;
  note_route(begin, to_bytes_, from_bytes_);
  view.kind_number = internal::byte_at(begin + 1);
  view.to = {reinterpret_cast<const char*>(begin + 3), to_bytes_};
  view.from = {reinterpret_cast<const char*>(begin + 4 + to_bytes_), from_bytes_};
  view.repeats_route = true;
  return true;
}

inline bool FrameReader::next_common(EnvelopeView& view) {
  constexpr auto kByteAt = internal::byte_at;
  const std::byte* const begin = reader_.cursor();
  route_ = nullptr;
  if (reader_.left() < internal::kLongestCommonHeader) return false;

  const std::uint8_t kind = kByteAt(begin + 1);
  const std::uint8_t to_tag = kByteAt(begin + 2);
  const std::size_t to_bytes = to_tag & 0x1fU;
  const std::byte* const to = begin + 3;
  const std::uint8_t from_tag = kByteAt(to + to_bytes);
  const std::size_t from_bytes = from_tag & 0x1fU;
  const std::byte* const from = to + to_bytes + 1;
  const bool fits =
      kByteAt(begin) == 0x96 && kind < 0x80 && (to_tag & 0xe0) == 0xa0 && (from_tag & 0xe0) == 0xa0;
  if (!fits || !finish_common(view, from + from_bytes)) return false;

  note_route(begin, to_bytes, from_bytes);
  view.kind_number = kind;
  view.to = {reinterpret_cast<const char*>(to), to_bytes};
  view.from = {reinterpret_cast<const char*>(from), from_bytes};
  view.repeats_route = false;
  return true;
}

/// Reads id, meta and body from `at` and advances past them.
inline bool FrameReader::finish_common(EnvelopeView& view, const std::byte* at) {
  const std::byte* const begin = reader_.cursor();
  std::uint64_t id = 0;
  const std::byte* const meta = internal::load_uint(at, id);
  if (meta == nullptr || internal::byte_at(meta) != 0x80) return false;
  std::size_t body_bytes = 0;
  const std::byte* const body = internal::load_bin_tag(meta + 1, body_bytes);
  if (body == nullptr) return false;
  const std::size_t total = static_cast<std::size_t>(body - begin) + body_bytes;
  if (total > reader_.left()) return false;

  view.body_is_text = false;
  view.id = id;
  view.meta = {meta, 1};
  view.body = {body, body_bytes};
  view.bytes = {begin, total};
  reader_.advance(total);
  return true;
}

inline void FrameReader::note_route(const std::byte* at, std::size_t to_bytes,
                                    std::size_t from_bytes) {
  route_ = at;
  route_bytes_ = 4 + to_bytes + from_bytes;
  to_bytes_ = to_bytes;
  from_bytes_ = from_bytes;
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
