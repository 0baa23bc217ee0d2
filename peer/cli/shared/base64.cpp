#include "peer/cli/shared/base64.h"

namespace zpost::cli {
namespace {

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string base64(Bytes bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < count ? std::to_integer<std::uint32_t>(bytes[i + k]) : 0);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      text += k <= count ? kDigits[group >> (18 - 6 * k) & 0x3f] : '=';
    }
  }
  return text;
}

std::optional<ByteBuffer> bytes_from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t missing = 0;  // Of the last group's bytes.
  while (missing < 2 && text.ends_with('=')) {
    text.remove_suffix(1);
    ++missing;
  }
  ByteBuffer bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t group = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t digit = kDigits.find(text[i]);
    if (digit == std::string_view::npos) return std::nullopt;
    group = group << 6 | static_cast<std::uint32_t>(digit);
    // Each digit but the first of four completes a byte.
    const std::size_t left = (3 - i % 4) * 2;
    if (i % 4 != 0) bytes.push_back(static_cast<std::byte>(group >> left & 0xff));
  }
  return bytes;
}

}  // namespace zpost::cli
