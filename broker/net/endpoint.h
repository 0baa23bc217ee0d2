// What an endpoint says about who can reach it.
#pragma once

#include <string>
#include <string_view>

#include "zpost/protocol/result.h"

namespace zpost::net {

/// Where the broker listens: `tcp://ADDRESS:PORT` or `ipc://PATH`.
struct Endpoint {
  enum class Transport : std::uint8_t { kTcp, kIpc };

  std::string text;
  Transport transport = Transport::kTcp;
  std::string address;  // Without brackets; for ipc the path.
  std::string port;     // "*" picks one.

  /// Only this machine can reach it.
  [[nodiscard]] bool is_local() const;
  [[nodiscard]] bool is_ipv6() const;
};

/// Error: what is wrong with `text`, and an example.
[[nodiscard]] Result<Endpoint> parse_endpoint(std::string_view text);

}  // namespace zpost::net
