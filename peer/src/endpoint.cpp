#include "peer/src/endpoint.h"

#include <charconv>

namespace zpost::peer {
namespace {

constexpr std::string_view kTcp = "tcp://";
constexpr std::string_view kIpc = "ipc://";
constexpr const char* kWanted = "must be tcp://HOST:PORT or ipc://PATH";

/// HOST:PORT, without the address to connect from, `tcp://FROM:PORT;HOST:PORT`.
std::string_view target_of(std::string_view endpoint) {
  const std::string_view rest = endpoint.substr(kTcp.size());
  const std::size_t semicolon = rest.find(';');
  return semicolon == std::string_view::npos ? rest : rest.substr(semicolon + 1);
}

/// libzmq reads 99999 as 34463, and 12x as 12.
bool is_port_number(std::string_view text) {
  unsigned port = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  return error == std::errc{} && stop == end && port >= 1 && port <= 65'535;
}

/// libzmq's own choice of characters; it would only say "Invalid argument".
bool is_host(std::string_view text) {
  constexpr std::string_view kCharacters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:%[]_";
  return !text.empty() && text.find_first_not_of(kCharacters) == std::string_view::npos;
}

std::string wrong(std::string_view endpoint, const std::string& why) {
  return "endpoint \"" + std::string(endpoint) + "\": " + why + kWanted;
}

std::string wrong_tcp_text(std::string_view endpoint) {
  const std::string_view target = target_of(endpoint);
  const std::size_t colon = target.rfind(':');
  // The colons of [::1] are none before a port.
  if (colon == std::string_view::npos || target.ends_with(']')) {
    return wrong(endpoint, "the port is missing; ");
  }
  const std::string host(target.substr(0, colon));
  if (!is_host(host)) return wrong(endpoint, "\"" + host + "\" is no host; ");
  const std::string port(target.substr(colon + 1));
  if (port.empty()) return wrong(endpoint, "the port is missing; ");
  if (is_port_number(port)) return "";
  return wrong(endpoint, "port \"" + port + "\" is none of 1 to 65535; ");
}

}  // namespace

std::string wrong_endpoint_text(std::string_view endpoint) {
  if (endpoint.starts_with(kTcp)) return wrong_tcp_text(endpoint);
  if (!endpoint.starts_with(kIpc)) return wrong(endpoint, "");
  return endpoint.size() > kIpc.size() ? "" : wrong(endpoint, "it names no path; ");
}

bool is_ipv6_endpoint(std::string_view endpoint) {
  if (!endpoint.starts_with(kTcp)) return false;
  const std::string_view target = target_of(endpoint);
  return target.find(':') != target.rfind(':');
}

}  // namespace zpost::peer
