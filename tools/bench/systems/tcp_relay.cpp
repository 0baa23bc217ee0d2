// A raw TCP relay: one process copies bytes between two connections. No broker can have shorter
// round trips on this machine.
#include <unistd.h>

#include <array>
#include <span>
#include <system_error>
#include <thread>
#include <vector>

#include "tools/bench/failure.h"
#include "tools/bench/loopback.h"
#include "tools/bench/systems/systems.h"

namespace zpost::bench {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{64} * 1024;

// A reset connection ends the relay like a closed one.
void copy_until_closed(const Descriptor& from, const Descriptor& to) try {
  std::array<std::byte, kBufferBytes> buffer = {};
  while (const std::size_t count = read_some(from, buffer)) {
    write_all(to, std::span(buffer).first(count));
  }

} catch (const std::system_error&) {
}

// launch_function() makes no trial connection, so the first two are those of the clients.
void relay(const ReportPort& report_port) {
  const Descriptor listener = listen_on_loopback();
  report_port(port_of(listener));
  const Descriptor one = accept_connection(listener);
  const Descriptor other = accept_connection(listener);
  std::thread backwards([&] { copy_until_closed(other, one); });
  copy_until_closed(one, other);
  backwards.join();
  pause();  // Until the bench has read what this process used.
}

class TcpRelay final : public System {
 public:
  [[nodiscard]] std::string_view name() const override { return "tcp-relay"; }

  [[nodiscard]] std::string_view description() const override {
    return "raw TCP relay, no broker at all: the floor for round trips";
  }

  [[nodiscard]] std::optional<std::string> unavailable() const override { return std::nullopt; }

  [[nodiscard]] bool measures(Measure measure) const override {
    return measure == Measure::kLatency;
  }

  [[nodiscard]] Server start() const override { return launch_function(relay); }

  void send(const Part&, Gate&, PayloadSource&) const override { refuse(); }

  void receive(const Part&, Gate&, PayloadSink&) const override { refuse(); }

  void ping(const Part& part, Gate& gate, RoundTrips& trips) const override {
    const Descriptor socket = connect_to_loopback(part.port);
    std::vector<std::byte> answer(part.payload_bytes);
    gate.wait_for_start();
    for (auto payload = trips.begin(); !payload.empty(); payload = trips.begin()) {
      write_all(socket, payload);
      read_all(socket, answer);
      trips.end(answer);
    }
  }

  void echo(const Part& part, Gate& gate) const override {
    const Descriptor socket = connect_to_loopback(part.port);
    std::vector<std::byte> payload(part.payload_bytes);
    gate.ready();
    while (true) {
      read_all(socket, payload);
      write_all(socket, payload);
    }
  }

 private:
  [[noreturn]] static void refuse() { throw RunFailure("the relay measures round trips only"); }
};

}  // namespace

std::unique_ptr<System> make_tcp_relay() {
  return std::make_unique<TcpRelay>();
}

}  // namespace zpost::bench
