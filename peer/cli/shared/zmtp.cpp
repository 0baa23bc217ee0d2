#include "peer/cli/shared/zmtp.h"

namespace zpost::cli {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kSignatureBytes = 10;
constexpr std::size_t kMechanismAt = 12;
constexpr std::size_t kMechanismBytes = 20;
constexpr std::string_view kSocketType = "\x0bSocket-Type"sv;

std::size_t byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

/// The body of the command that `bytes` begin with. Nothing: not complete.
std::optional<std::string_view> command(std::string_view bytes) {
  constexpr std::size_t kShort = 4;
  constexpr std::size_t kLong = 6;
  if (bytes.size() < 2) return std::nullopt;
  std::size_t begin = 2;
  std::size_t length = byte_at(bytes, 1);
  if (byte_at(bytes, 0) == kLong) {
    begin = 9;
    if (bytes.size() < begin) return std::nullopt;
    length = 0;
    for (std::size_t i = 1; i < begin; ++i) length = length << 8 | byte_at(bytes, i);
  } else if (byte_at(bytes, 0) != kShort) {
    return ""sv;
  }
  if (bytes.size() - begin < length) return std::nullopt;
  return bytes.substr(begin, length);
}

}  // namespace

std::string zmtp_greeting() {
  std::string greeting("\xff\0\0\0\0\0\0\0\1\x7f\3\0NULL"sv);
  greeting.resize(kGreetingBytes);
  return greeting;
}

std::string zmtp_ready() {
  std::string body("\5READY"sv);
  body += kSocketType;
  body += "\0\0\0\6DEALER"sv;
  return std::string("\4") + static_cast<char>(body.size()) + body;
}

bool may_be_zmtp(std::string_view bytes) {
  if (bytes[0] != '\xff') return false;
  return bytes.size() < kSignatureBytes || (byte_at(bytes, kSignatureBytes - 1) & 1U) != 0;
}

std::optional<std::string> zmtp_mechanism(std::string_view bytes) {
  if (bytes.size() < kGreetingBytes) return std::nullopt;
  const std::string_view field = bytes.substr(kMechanismAt, kMechanismBytes);
  return std::string(field.substr(0, field.find('\0')));
}

std::optional<std::string> zmtp_socket_type(std::string_view bytes) {
  if (bytes.size() < kGreetingBytes) return std::nullopt;
  const auto body = command(bytes.substr(kGreetingBytes));
  if (!body) return std::nullopt;
  const std::size_t key = body->find(kSocketType);
  if (!body->starts_with("\5READY"sv) || key == std::string_view::npos) return "";
  const std::string_view value = body->substr(key + kSocketType.size());
  if (value.size() < 4) return "";
  return std::string(value.substr(4, byte_at(value, 3)));
}

}  // namespace zpost::cli
