// Where to serve HTTP.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "zpost/protocol/result.h"

namespace zpost::admin {

struct Address {
  std::string host;        // A numeric address, without brackets.
  std::uint16_t port = 0;  // 0 picks one.

  /// Only this machine can reach it.
  [[nodiscard]] bool is_local() const;
  /// `http://HOST:PORT`.
  [[nodiscard]] std::string url() const;
};

/// `ADDRESS:PORT`, port * picks one: "127.0.0.1:9000", "[::1]:9000". Error: what is wrong with
/// `text`, and an example.
[[nodiscard]] Result<Address> parse_address(std::string_view text);

}  // namespace zpost::admin
