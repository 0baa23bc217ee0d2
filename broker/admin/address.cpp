#include "broker/admin/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace zpost::admin {

namespace {

Error wrong(std::string_view text, std::string_view why) {
  return {Outcome::kMalformed,
          fmt::format("\"{}\" is wrong: {}; an address looks like 127.0.0.1:9000 or [::1]:9000",
                      text, why)};
}

std::optional<std::uint16_t> read_port(std::string_view text) {
  if (text == "*") return std::uint16_t{0};
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool good = error == std::errc{} && end == text.data() + text.size() && port > 0;
  return good ? std::optional(port) : std::nullopt;
}

}  // namespace

bool Address::is_local() const {
  in_addr address{};
  if (::inet_pton(AF_INET, host.c_str(), &address) == 1) {
    return ntohl(address.s_addr) >> 24 == 127;
  }
  return host == "::1";
}

std::string Address::url() const {
  const bool ipv6 = host.find(':') != std::string::npos;
  return ipv6 ? fmt::format("http://[{}]:{}", host, port) : fmt::format("http://{}:{}", host, port);
}

Result<Address> parse_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return wrong(text, "needs ADDRESS:PORT");
  const auto port = read_port(text.substr(colon + 1));
  if (!port) return wrong(text, "the port must be 1 to 65535, or * to pick one");
  std::string_view host = text.substr(0, colon);
  const bool brackets = host.front() == '[' && host.back() == ']';
  if (brackets) host = host.substr(1, host.size() - 2);
  const std::string name(host);
  in6_addr address{};
  if (::inet_pton(brackets ? AF_INET6 : AF_INET, name.c_str(), &address) != 1) {
    return wrong(text, "the address must be numeric, and in brackets if it is IPv6");
  }
  return Address{name, *port};
}

}  // namespace zpost::admin
