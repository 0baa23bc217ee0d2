// Writes msgpack: shortest integers, shortest lengths.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "zpost/protocol/msgpack_reader.h"

namespace zpost {

/// A byte buffer that grows.
using ByteBuffer = std::vector<std::byte>;

// The functions below write at `out`, which must have room, and return the end of what they wrote.

inline constexpr std::size_t kMaxUintBytes = 9;
inline constexpr std::size_t kMaxLengthBytes = 5;  // The tag of a str, bin, array or map.

/// Writes `tag` and the big-endian `value`.
template <typename Unsigned>
inline std::byte* put_tagged(std::byte* out, std::uint8_t tag, Unsigned value) {
  if constexpr (sizeof(Unsigned) == 2) value = __builtin_bswap16(value);
  if constexpr (sizeof(Unsigned) == 4) value = __builtin_bswap32(value);
  if constexpr (sizeof(Unsigned) == 8) value = __builtin_bswap64(value);
  *out = std::byte{tag};
  std::memcpy(out + 1, &value, sizeof value);
  return out + 1 + sizeof value;
}

inline std::byte* put_byte(std::byte* out, std::uint8_t value) {
  *out = std::byte{value};
  return out + 1;
}

inline std::byte* put_bytes(std::byte* out, Bytes bytes) {
  if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
  return out + bytes.size();
}

[[nodiscard]] constexpr std::size_t uint_bytes(std::uint64_t value) {
  if (value < 0x80) return 1;
  if (value <= 0xff) return 2;
  if (value <= 0xffff) return 3;
  return value <= 0xffffffff ? 5 : 9;
}

inline std::byte* put_uint(std::byte* out, std::uint64_t value) {
  if (value < 0x80) return put_byte(out, static_cast<std::uint8_t>(value));
  if (value <= 0xff) return put_tagged(out, 0xcc, static_cast<std::uint8_t>(value));
  if (value <= 0xffff) return put_tagged(out, 0xcd, static_cast<std::uint16_t>(value));
  if (value <= 0xffffffff) return put_tagged(out, 0xce, static_cast<std::uint32_t>(value));
  return put_tagged(out, 0xcf, value);
}

[[nodiscard]] constexpr std::size_t bin_tag_bytes(std::size_t length) {
  if (length <= 0xff) return 2;
  return length <= 0xffff ? 3 : 5;
}

/// REQUIRES: length < 4 GiB, as for all lengths below.
inline std::byte* put_bin_tag(std::byte* out, std::size_t length) {
  if (length <= 0xff) return put_tagged(out, 0xc4, static_cast<std::uint8_t>(length));
  if (length <= 0xffff) return put_tagged(out, 0xc5, static_cast<std::uint16_t>(length));
  return put_tagged(out, 0xc6, static_cast<std::uint32_t>(length));
}

inline std::byte* put_str_tag(std::byte* out, std::size_t length) {
  if (length < 32) return put_byte(out, static_cast<std::uint8_t>(0xa0 | length));
  if (length <= 0xff) return put_tagged(out, 0xd9, static_cast<std::uint8_t>(length));
  if (length <= 0xffff) return put_tagged(out, 0xda, static_cast<std::uint16_t>(length));
  return put_tagged(out, 0xdb, static_cast<std::uint32_t>(length));
}

inline std::byte* put_str(std::byte* out, std::string_view text) {
  return put_bytes(put_str_tag(out, text.size()), as_bytes(text));
}

inline std::byte* put_array_tag(std::byte* out, std::size_t count) {
  if (count < 16) return put_byte(out, static_cast<std::uint8_t>(0x90 | count));
  if (count <= 0xffff) return put_tagged(out, 0xdc, static_cast<std::uint16_t>(count));
  return put_tagged(out, 0xdd, static_cast<std::uint32_t>(count));
}

inline std::byte* put_map_tag(std::byte* out, std::size_t count) {
  if (count < 16) return put_byte(out, static_cast<std::uint8_t>(0x80 | count));
  if (count <= 0xffff) return put_tagged(out, 0xde, static_cast<std::uint16_t>(count));
  return put_tagged(out, 0xdf, static_cast<std::uint32_t>(count));
}

inline std::byte* put_bool(std::byte* out, bool value) {
  return put_byte(out, value ? 0xc3 : 0xc2);
}

/// Appends values to a buffer. Chains: `writer.map(1).str("op").str("who")`.
class MsgpackWriter {
 public:
  explicit MsgpackWriter(ByteBuffer& buffer) : buffer_(buffer) {}

  MsgpackWriter& uint(std::uint64_t value) {
    return put([value](std::byte* out) { return put_uint(out, value); });
  }

  MsgpackWriter& boolean(bool value) {
    return put([value](std::byte* out) { return put_bool(out, value); });
  }

  MsgpackWriter& array(std::size_t count) {
    return put([count](std::byte* out) { return put_array_tag(out, count); });
  }

  MsgpackWriter& map(std::size_t count) {
    return put([count](std::byte* out) { return put_map_tag(out, count); });
  }

  MsgpackWriter& str(std::string_view text) {
    put([text](std::byte* out) { return put_str_tag(out, text.size()); });
    return raw(as_bytes(text));
  }

  MsgpackWriter& bin(Bytes bytes) {
    put([bytes](std::byte* out) { return put_bin_tag(out, bytes.size()); });
    return raw(bytes);
  }

  /// Bytes that are msgpack already.
  MsgpackWriter& raw(Bytes bytes) {
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
    return *this;
  }

 private:
  template <typename Put>
  MsgpackWriter& put(Put put_at) {
    std::byte tag[kMaxUintBytes];
    return raw({tag, put_at(tag)});
  }

  ByteBuffer& buffer_;
};

}  // namespace zpost
