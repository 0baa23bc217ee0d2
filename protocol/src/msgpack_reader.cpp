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
  std::size_t count = 0;
  Bytes ignored;
  if (tag < 0x80 || tag >= 0xe0) return skip_bytes(1);                       // fixint
  if ((tag & 0xe0) == 0xa0) return skip_bytes(1 + std::size_t{tag} - 0xa0);  // fixstr
  if ((tag & 0xf0) == 0x80 || tag == 0xde || tag == 0xdf) {                  // map
    if (depth == kMaxNesting) return fail(ReadError::kTooDeep);
    return read_map(count, budget / 2) && skip_nested(2 * count, depth + 1, budget);
  }
  if ((tag & 0xf0) == 0x90 || tag == 0xdc || tag == 0xdd) {  // array
    if (depth == kMaxNesting) return fail(ReadError::kTooDeep);
    return read_array(count, budget) && skip_nested(count, depth + 1, budget);
  }
  if (tag >= 0xc4 && tag <= 0xc6) return sized_view(std::size_t{1} << (tag - 0xc4), ignored);
  if (tag >= 0xd9 && tag <= 0xdb) return sized_view(std::size_t{1} << (tag - 0xd9), ignored);
  switch (tag) {
    case 0xc0:  // nil
    case 0xc2:
    case 0xc3:
      return skip_bytes(1);
    case 0xc7:  // ext 8, 16, 32: a length, a type, the data
    case 0xc8:
    case 0xc9: {
      const std::size_t width = std::size_t{1} << (tag - 0xc7);
      return read_count(width, count) && skip_bytes(1 + width + 1 + count);
    }
    case 0xca:
      return skip_bytes(5);  // float
    case 0xcb:
      return skip_bytes(9);
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf:
      return skip_bytes(1 + (std::size_t{1} << (tag - 0xcc)));  // uint
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3:
      return skip_bytes(1 + (std::size_t{1} << (tag - 0xd0)));  // int
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
      return skip_bytes(2 + (std::size_t{1} << (tag - 0xd4)));  // fixext
    default:
      return fail_type(tag);
  }
}

}  // namespace zpost
