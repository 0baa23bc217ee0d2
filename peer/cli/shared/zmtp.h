// As much of ZMTP 3 (rfc.zeromq.org/spec/23) as it takes to ask a port what it is.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace zpost::cli {

inline constexpr std::size_t kGreetingBytes = 64;

/// What a client that needs no security says first.
[[nodiscard]] std::string zmtp_greeting();

/// What it says next: that it is a DEALER.
[[nodiscard]] std::string zmtp_ready();

/// Whether `bytes` can be the beginning of a greeting. REQUIRES: !bytes.empty().
[[nodiscard]] bool may_be_zmtp(std::string_view bytes);

/// The mechanism that a whole greeting names, such as `NULL`; nothing: it is too short.
[[nodiscard]] std::optional<std::string> zmtp_mechanism(std::string_view bytes);

/// The socket type, such as `ROUTER`, that the READY behind the greeting names; empty if it says
/// something else. Nothing: it is not complete.
[[nodiscard]] std::optional<std::string> zmtp_socket_type(std::string_view bytes);

}  // namespace zpost::cli
