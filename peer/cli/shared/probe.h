// What is at an endpoint, when no broker answers there: found out as a person would with nc.
#pragma once

#include <chrono>
#include <string>

namespace zpost::cli {

enum class Finding {
  kRouter,       // A ZeroMQ ROUTER, as a broker is; it may be none.
  kOtherSocket,  // ZeroMQ, of another socket type.
  kOtherSecurity,
  kSilent,     // It takes the connection and says nothing.
  kNotZeroMq,  // It says something else, or hangs up.
  kAdminPort,  // Of a zpost broker: metrics and health over HTTP.
  kNobody,     // Nothing listens.
  kNoName,     // The host's name is not known.
  kNoWay,      // The host is not reached.
  kExhausted,  // This process has no descriptor left.
  kUnknown,    // A kind of endpoint that is not looked at.
};

struct Diagnosis {
  Finding finding = Finding::kUnknown;
  std::string text;    // What is the matter, without the endpoint. One line, visible.
  std::string advice;  // What to do.
};

/// Connects to `endpoint` (tcp:// or ipc://) and looks at what comes, for `patience` at most; if
/// nothing does, or HTTP, as long again, half a second at most, at what HTTP tells.
[[nodiscard]] Diagnosis probe(const std::string& endpoint, std::chrono::milliseconds patience);

}  // namespace zpost::cli
