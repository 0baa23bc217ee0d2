// What the bench needs to know about a message system to measure it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tools/bench/clients.h"
#include "tools/bench/round_trips.h"
#include "tools/bench/server.h"
#include "tools/bench/stream.h"

namespace zpost::bench {

enum class Measure { kThroughput, kLatency };

/// One client's place in a run. Sender `pair` sends to receiver `pair` and to no other.
struct Part {
  std::uint16_t port = 0;  // Of the server, on 127.0.0.1.
  std::uint32_t pair = 0;
  std::size_t payload_bytes = 0;
};

/// One system under test. Stateless: the parent process calls the first group; every function of
/// the second group runs in a client process of its own, forked for it, and may throw any
/// std::exception to fail the run. Nothing in the first group may create threads or library
/// state in the parent.
class System {
 public:
  virtual ~System() = default;

  /// The word for `--with`.
  [[nodiscard]] virtual std::string_view name() const = 0;

  /// One line: what runs, and with which client.
  [[nodiscard]] virtual std::string_view description() const = 0;

  /// Why the system cannot be measured here; nothing when it can.
  [[nodiscard]] virtual std::optional<std::string> unavailable() const = 0;

  [[nodiscard]] virtual bool measures(Measure measure) const = 0;

  /// Starts a fresh server that accepts connections. Throws RunFailure, Interrupted.
  [[nodiscard]] virtual Server start() const = 0;

  /// Connects, calls gate.wait_for_start(), sends all that `source` gives, and returns when all
  /// has left this process or its library will send it before the process ends.
  virtual void send(const Part& part, Gate& gate, PayloadSource& source) const = 0;

  /// Connects, calls gate.ready() once nothing sent to it can be missed, and hands every payload
  /// to `sink` until sink.complete(). It need not end by itself when messages are lost: the
  /// parent kills it, and the counts survive.
  virtual void receive(const Part& part, Gate& gate, PayloadSink& sink) const = 0;

  /// Connects, calls gate.wait_for_start(), and makes round trips with the echoer until
  /// trips.begin() is empty.
  virtual void ping(const Part& part, Gate& gate, RoundTrips& trips) const = 0;

  /// Connects, calls gate.ready(), and sends every payload back for ever. The parent kills it.
  virtual void echo(const Part& part, Gate& gate) const = 0;
};

}  // namespace zpost::bench
