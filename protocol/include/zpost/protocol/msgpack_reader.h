// Reads msgpack in place: no allocation, bounded work, views into the bytes.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace zpost {

static_assert(std::endian::native == std::endian::little, "msgpack is swapped for such hosts only");
static_assert(sizeof(std::size_t) >= 8, "offsets are added to lengths below 4 GiB unchecked");

using Bytes = std::span<const std::byte>;

[[nodiscard]] inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

[[nodiscard]] inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

/// What can be wrong with bytes that should be msgpack of a certain shape.
enum class ReadError : std::uint8_t {
  kNone,
  kTruncated,  // The bytes end inside a value.
  kWrongType,  // A value of another type than the shape asks for.
  kTooMany,    // An array, map or nesting beyond its limit.
  kTooDeep,
  kDuplicateKey,
  kOutOfRange,  // An integer beyond what the field holds.
  kReserved,    // The byte 0xc1.
  kTooFew,      // An array below its least size.
  kTooLong,     // A str or a map of more bytes than its limit.
  kNotText,     // A str that is not UTF-8.
};

/// "truncated", "wrong type", …
[[nodiscard]] std::string_view read_error_name(ReadError error);

/// A cursor over msgpack bytes. Every read either advances past one value and returns true, or
/// leaves error() and returns false; then position() is where the bad value starts.
/// Views returned point into the bytes given. Thread: one.
class MsgpackReader {
 public:
  MsgpackReader() = default;

  explicit MsgpackReader(Bytes bytes)
      : begin_(bytes.data()), at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  [[nodiscard]] bool at_end() const { return at_ == end_; }

  [[nodiscard]] std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

  [[nodiscard]] std::size_t position() const { return static_cast<std::size_t>(at_ - begin_); }

  [[nodiscard]] const std::byte* cursor() const { return at_; }

  [[nodiscard]] ReadError error() const { return error_; }

  [[nodiscard]] bool read_uint(std::uint64_t& value);
  [[nodiscard]] bool read_bool(bool& value);
  [[nodiscard]] bool read_str(std::string_view& value);
  /// A bin or a str; `is_text` says which.
  [[nodiscard]] bool read_body(Bytes& value, bool& is_text);
  /// The header of an array of at most `limit` elements; the elements follow.
  [[nodiscard]] bool read_array(std::size_t& count, std::size_t limit);
  /// The header of a map of at most `limit` entries; keys and values follow.
  [[nodiscard]] bool read_map(std::size_t& count, std::size_t limit);
  /// Skips one value of any type within kMaxNesting and kMaxNestedObjects.
  [[nodiscard]] bool skip();
  /// The same for several values that share `budget`: every value counts one, and so does every key
  /// and value inside it. REQUIRES at first: budget <= kMaxNestedObjects.
  [[nodiscard]] bool skip(std::size_t& budget);

  /// For callers that looked at the bytes themselves. REQUIRES: bytes <= left().
  void advance(std::size_t bytes) { at_ += bytes; }

  /// Makes the value at `position` the bad one, for callers that know more about the shape. False.
  bool fail_at(std::size_t position, ReadError error) {
    at_ = begin_ + position;
    error_ = error;
    return false;
  }

  /// Makes all that follows the position void: nothing is left, position() stays.
  void stop() { end_ = at_; }

 private:
  [[nodiscard]] bool fail(ReadError error) {
    error_ = error;
    return false;
  }

  [[nodiscard]] bool fail_type(std::uint8_t tag) {
    return fail(tag == 0xc1 ? ReadError::kReserved : ReadError::kWrongType);
  }

  [[nodiscard]] std::uint8_t peek() const { return static_cast<std::uint8_t>(*at_); }

  template <typename Unsigned>
  [[nodiscard]] bool big_endian(std::size_t offset, Unsigned& value) const;
  [[nodiscard]] bool take_view(std::size_t tag_bytes, std::size_t length, Bytes& value);
  [[nodiscard]] bool sized_view(std::size_t width, Bytes& value);
  [[nodiscard]] bool read_count(std::size_t width, std::size_t& count);
  [[nodiscard]] bool skip_value(std::size_t depth, std::size_t& budget);
  [[nodiscard]] bool skip_leaf(std::uint8_t tag);
  [[nodiscard]] bool skip_nested(std::size_t count, std::size_t depth, std::size_t& budget);
  [[nodiscard]] bool skip_bytes(std::size_t bytes);

  const std::byte* begin_ = nullptr;
  const std::byte* at_ = nullptr;
  const std::byte* end_ = nullptr;
  ReadError error_ = ReadError::kNone;
};

template <typename Unsigned>
inline bool MsgpackReader::big_endian(std::size_t offset, Unsigned& value) const {
  if (left() < offset + sizeof(Unsigned)) return false;
  std::memcpy(&value, at_ + offset, sizeof(Unsigned));
  if constexpr (sizeof(Unsigned) == 2) value = __builtin_bswap16(value);
  if constexpr (sizeof(Unsigned) == 4) value = __builtin_bswap32(value);
  if constexpr (sizeof(Unsigned) == 8) value = __builtin_bswap64(value);
  return true;
}

inline bool MsgpackReader::take_view(std::size_t tag_bytes, std::size_t length, Bytes& value) {
  if (left() < tag_bytes + length) return fail(ReadError::kTruncated);
  value = {at_ + tag_bytes, length};
  at_ += tag_bytes + length;
  return true;
}

/// The big-endian number of `width` bytes that follows the tag.
inline bool MsgpackReader::read_count(std::size_t width, std::size_t& count) {
  std::uint8_t u8 = 0;
  std::uint16_t u16 = 0;
  std::uint32_t u32 = 0;
  bool whole = false;
  if (width == 1) {
    whole = big_endian(1, u8);
    count = u8;
  } else if (width == 2) {
    whole = big_endian(1, u16);
    count = u16;
  } else {
    whole = big_endian(1, u32);
    count = u32;
  }
  return whole || fail(ReadError::kTruncated);
}

inline bool MsgpackReader::sized_view(std::size_t width, Bytes& value) {
  std::size_t length = 0;
  return read_count(width, length) && take_view(1 + width, length, value);
}

inline bool MsgpackReader::read_uint(std::uint64_t& value) {
  if (at_ == end_) return fail(ReadError::kTruncated);
  const std::uint8_t tag = peek();
  if (tag < 0x80) {
    value = tag;
    ++at_;
    return true;
  }
  std::uint8_t u8 = 0;
  std::uint16_t u16 = 0;
  std::uint32_t u32 = 0;
  switch (tag) {
    case 0xcf:
      if (!big_endian(1, value)) return fail(ReadError::kTruncated);
      at_ += 9;
      return true;
    case 0xce:
      if (!big_endian(1, u32)) return fail(ReadError::kTruncated);
      value = u32;
      at_ += 5;
      return true;
    case 0xcd:
      if (!big_endian(1, u16)) return fail(ReadError::kTruncated);
      value = u16;
      at_ += 3;
      return true;
    case 0xcc:
      if (!big_endian(1, u8)) return fail(ReadError::kTruncated);
      value = u8;
      at_ += 2;
      return true;
    default:
      return fail_type(tag);
  }
}

inline bool MsgpackReader::read_str(std::string_view& value) {
  if (at_ == end_) return fail(ReadError::kTruncated);
  const std::uint8_t tag = peek();
  Bytes view;
  if ((tag & 0xe0) == 0xa0) {
    if (!take_view(1, tag & 0x1f, view)) return false;
  } else if (tag >= 0xd9 && tag <= 0xdb) {
    if (!sized_view(std::size_t{1} << (tag - 0xd9), view)) return false;
  } else {
    return fail_type(tag);
  }
  value = as_text(view);
  return true;
}

inline bool MsgpackReader::read_body(Bytes& value, bool& is_text) {
  if (at_ == end_) return fail(ReadError::kTruncated);
  const std::uint8_t tag = peek();
  if (tag >= 0xc4 && tag <= 0xc6) {
    is_text = false;
    return sized_view(std::size_t{1} << (tag - 0xc4), value);
  }
  is_text = true;
  std::string_view text;
  if (!read_str(text)) return false;
  value = as_bytes(text);
  return true;
}

}  // namespace zpost
