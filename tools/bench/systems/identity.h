// Names of sockets for clients of zpost that have no library.
#pragma once

#include <fmt/core.h>
#include <unistd.h>

#include <cstddef>
#include <stdexcept>
#include <string>

namespace zpost::bench {

/// 32 hexadecimal digits. Throws std::runtime_error.
inline std::string random_hex_128() {
  std::byte bytes[16];
  if (getentropy(bytes, sizeof(bytes)) != 0) throw std::runtime_error("no random numbers");
  std::string text;
  for (const std::byte byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned>(byte));
  return text;
}

/// NAME~TOKEN. SPEC.md, section 2.
inline std::string identity_of(const std::string& name) {
  return name + "~" + random_hex_128();
}

}  // namespace zpost::bench
