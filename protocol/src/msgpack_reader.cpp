#include "zpost/protocol/msgpack_reader.h"

#include "zpost/protocol/limits.h"

namespace zpost {

std::string_view read_error_name(ReadError error) {
  switch (error) {
    case ReadError::kNone:
      return "none";
    case ReadError::kTruncated:
      return "truncated";
    case ReadError::kWrongType:
      return "wrong type";
    case ReadError::kTooMany:
      return "too many";
    case ReadError::kTooDeep:
      return "too deep";
    case ReadError::kDuplicateKey:
      return "duplicate key";
    case ReadError::kOutOfRange:
      return "out of range";
    case ReadError::kReserved:
      return "reserved byte 0xc1";
    case ReadError::kTooFew:
      return "too few";
    case ReadError::kTooLong:
      return "too long";
    case ReadError::kNotText:
      return "not UTF-8";
  }
  return "unknown";
}

bool MsgpackReader::read_bool(bool& value) {
  if (at_ == end_) return fail(ReadError::kTruncated);
  const std::uint8_t tag = peek();
  if (tag != 0xc2 && tag != 0xc3) return fail_type(tag);
  value = tag == 0xc3;
  ++at_;
  return true;
}

bool MsgpackReader::read_array(std::size_t& count, std::size_t limit) {
  if (at_ == end_) return fail(ReadError::kTruncated);
  const std::uint8_t tag = peek();
  std::size_t width = 0;
  if ((tag & 0xf0) == 0x90) {
    count = tag & 0x0f;
  } else if (tag == 0xdc || tag == 0xdd) {
    width = tag == 0xdc ? 2 : 4;
    if (!read_count(width, count)) return false;
  } else {
    return fail_type(tag);
  }
  if (count > limit) return fail(ReadError::kTooMany);
  at_ += 1 + width;
  return true;
}

bool MsgpackReader::read_map(std::size_t& count, std::size_t limit) {
  if (at_ == end_) return fail(ReadError::kTruncated);
  const std::uint8_t tag = peek();
  std::size_t width = 0;
  if ((tag & 0xf0) == 0x80) {
    count = tag & 0x0f;
  } else if (tag == 0xde || tag == 0xdf) {
    width = tag == 0xde ? 2 : 4;
    if (!read_count(width, count)) return false;
  } else {
    return fail_type(tag);
  }
  if (count > limit) return fail(ReadError::kTooMany);
  at_ += 1 + width;
  return true;
}

bool MsgpackReader::skip() {
  std::size_t budget = kMaxNestedObjects;
  return skip(budget);
}

bool MsgpackReader::skip(std::size_t& budget) {
  return skip_value(0, budget);
}

bool MsgpackReader::skip_bytes(std::size_t bytes) {
  if (left() < bytes) return fail(ReadError::kTruncated);
  at_ += bytes;
  return true;
}

/// Skips the `count` values of an array or map whose own tag has been read. A declared count beyond
/// the budget fails here, before anything is done for it.
bool MsgpackReader::skip_nested(std::size_t count, std::size_t depth, std::size_t& budget) {
  for (std::size_t i = 0; i < count; ++i) {
    if (!skip_value(depth, budget)) return false;
  }
  return true;
}

bool MsgpackReader::skip_value(std::size_t depth, std::size_t& budget) {
  if (at_ == end_) return fail(ReadError::kTruncated);
  if (budget == 0) return fail(ReadError::kTooMany);
  --budget;
  const std::uint8_t tag = peek();
  const bool map = (tag & 0xf0) == 0x80 || tag == 0xde || tag == 0xdf;
  const bool array = (tag & 0xf0) == 0x90 || tag == 0xdc || tag == 0xdd;
  if (!map && !array) return skip_leaf(tag);

  if (depth == kMaxNesting) return fail(ReadError::kTooDeep);
  std::size_t count = 0;
  if (array) return read_array(count, budget) && skip_nested(count, depth + 1, budget);
  return read_map(count, budget / 2) && skip_nested(2 * count, depth + 1, budget);
}

/// Skips a value that holds no others.
bool MsgpackReader::skip_leaf(std::uint8_t tag) {
  const auto width_from = [tag](std::uint8_t first) { return std::size_t{1} << (tag - first); };
  Bytes ignored;
  std::size_t count = 0;
  if (tag < 0x80 || tag >= 0xe0) return skip_bytes(1);
  if (tag < 0xc0) return skip_bytes(1 + std::size_t{tag} - 0xa0);  // A short str.
  switch (tag) {
    case 0xc0:  // nil
    case 0xc2:  // false
    case 0xc3:  // true
      return skip_bytes(1);
    case 0xc4:  // bin
    case 0xc5:
    case 0xc6:
      return sized_view(width_from(0xc4), ignored);
    case 0xc7:  // ext: a length, a type, the data
    case 0xc8:
    case 0xc9:
      return read_count(width_from(0xc7), count) && skip_bytes(1 + width_from(0xc7) + 1 + count);
    case 0xca:  // float
      return skip_bytes(5);
    case 0xcb:
      return skip_bytes(9);
    case 0xcc:  // uint
    case 0xcd:
    case 0xce:
    case 0xcf:
      return skip_bytes(1 + width_from(0xcc));
    case 0xd0:  // int
    case 0xd1:
    case 0xd2:
    case 0xd3:
      return skip_bytes(1 + width_from(0xd0));
    case 0xd4:  // ext of a fixed length
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
      return skip_bytes(2 + width_from(0xd4));
    case 0xd9:  // str
    case 0xda:
    case 0xdb:
      return sized_view(width_from(0xd9), ignored);
    default:
      return fail_type(tag);
  }
}

}  // namespace zpost
