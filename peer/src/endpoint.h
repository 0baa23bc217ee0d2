// What of an endpoint is known to be wrong before libzmq tries it. Pure.
#pragma once

#include <string>
#include <string_view>

namespace zpost::peer {

/// Why nothing can be reached at `endpoint`, and what it should be; empty: it may be one of
/// libzmq's.
[[nodiscard]] std::string wrong_endpoint_text(std::string_view endpoint);

/// Whether its host is an IPv6 address as digits.
[[nodiscard]] bool is_ipv6_endpoint(std::string_view endpoint);

}  // namespace zpost::peer
