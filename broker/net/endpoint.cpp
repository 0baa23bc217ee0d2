#include "broker/net/endpoint.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>

namespace zpost::net {

namespace {

constexpr std::string_view kTcp = "tcp://";
constexpr std::string_view kIpc = "ipc://";

Error wrong(std::string_view text, std::string_view why) {
  return {
      Outcome::kMalformed,
      fmt::format("{}: {}; an endpoint looks like tcp://127.0.0.1:1234 or ipc:///run/zpost.sock",
                  text.empty() ? "\"\"" : text, why)};
}

bool is_port(std::string_view text) {
  if (text == "*") return true;
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port >= 1 && port <= 65'535;
}

Result<Endpoint> parse_tcp(std::string_view text) {
  const std::string_view rest = text.substr(kTcp.size());
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return wrong(text, "needs ADDRESS:PORT");
  std::string_view address = rest.substr(0, colon);
  const std::string_view port = rest.substr(colon + 1);
  if (!is_port(port)) return wrong(text, "the port must be 1 to 65535, or * to pick one");
  if (address.front() == '[') {
    if (address.back() != ']') return wrong(text, "] is missing");
    address = address.substr(1, address.size() - 2);
  } else if (address.find(':') != std::string_view::npos) {
    return wrong(text, "an IPv6 address stands in brackets");
  }
  const bool readable = std::none_of(address.begin(), address.end(), [](unsigned char c) {
    return c <= ' ' || c == '/' || c == ';' || c >= 0x7f;
  });
  if (address.empty() || !readable) return wrong(text, "bad address");
  return Endpoint{std::string(text), Endpoint::Transport::kTcp, std::string(address),
                  std::string(port)};
}

}  // namespace

bool Endpoint::is_local() const {
  if (transport == Transport::kIpc || address == "localhost" || address == "lo") return true;
  in_addr v4{};
  if (::inet_pton(AF_INET, address.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  return ::inet_pton(AF_INET6, address.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

bool Endpoint::is_ipv6() const {
  return transport == Transport::kTcp && address.find(':') != std::string::npos;
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  if (text.starts_with(kTcp)) return parse_tcp(text);
  if (!text.starts_with(kIpc)) return wrong(text, "needs tcp:// or ipc://");
  const std::string_view path = text.substr(kIpc.size());
  if (path.empty()) return wrong(text, "needs a path");
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return wrong(text, fmt::format("the path is {} bytes long, at most {} are possible",
                                   path.size(), sizeof(sockaddr_un::sun_path) - 1));
  }
  return Endpoint{std::string(text), Endpoint::Transport::kIpc, std::string(path), {}};
}

}  // namespace zpost::net
