// Bytes for tests: from hex, from text, from decoders' point of view hostile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "zpost/protocol/envelope.h"

namespace zpost::test {

inline std::uint8_t hex_digit(char c) {
  const std::string_view digits = "0123456789abcdef";
  const std::size_t value = digits.find(c);
  if (value == std::string_view::npos) throw std::invalid_argument("not hex");
  return static_cast<std::uint8_t>(value);
}

/// The bytes of pairs of hex digits; spaces are for people.
inline ByteBuffer unhex(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c != ' ') digits += c;
  }
  ByteBuffer bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    bytes.push_back(
        static_cast<std::byte>(hex_digit(digits.at(i)) << 4 | hex_digit(digits.at(i + 1))));
  }
  return bytes;
}

inline std::string hex(Bytes bytes) {
  const std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : bytes) {
    text += digits[static_cast<std::size_t>(byte) >> 4];
    text += digits[static_cast<std::size_t>(byte) & 0xf];
  }
  return text;
}

inline ByteBuffer to_buffer(Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}

inline ByteBuffer to_buffer(std::string_view text) {
  return to_buffer(as_bytes(text));
}

inline void append(ByteBuffer& buffer, Bytes bytes) {
  buffer.insert(buffer.end(), bytes.begin(), bytes.end());
}

inline ByteBuffer operator+(ByteBuffer left, const ByteBuffer& right) {
  append(left, right);
  return left;
}

inline ByteBuffer repeated(std::string_view hex_text, std::size_t times) {
  const ByteBuffer one = unhex(hex_text);
  ByteBuffer all;
  for (std::size_t i = 0; i < times; ++i) append(all, one);
  return all;
}

inline ByteBuffer encoded(const EnvelopeFields& fields) {
  ByteBuffer buffer;
  append_envelope(buffer, fields);
  return buffer;
}

}  // namespace zpost::test
