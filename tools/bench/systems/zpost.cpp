// zpost with its own client library. Senders hand over one payload a call, or a span of many.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <vector>

#include "tools/bench/systems/systems.h"
#include "tools/bench/systems/zpost_server.h"
#include "zpost/peer/memory.h"
#include "zpost/peer/peer.h"

namespace zpost::bench {
namespace {

using std::chrono::seconds;

// A span holds about this many bytes, and at least one payload.
constexpr std::size_t kSpanBytes = 128 * 1024;

std::string receiver_name(const Part& part) {
  return fmt::format("receiver-{}", part.pair);
}

peer::Peer connect(const Part& part, const std::string& name) {
  peer::keep_free_memory();
  peer::Options options;
  options.endpoint = fmt::format("tcp://127.0.0.1:{}", part.port);
  options.name = name;
  options.connect_timeout = seconds(10);
  auto connected = peer::Peer::connect(std::move(options));
  if (!connected) throw std::runtime_error(connected.error().text);
  return std::move(*connected);
}

void demand(bool sent, const std::string& why) {
  if (!sent) throw std::runtime_error(why);
}

class Zpost final : public System {
 public:
  explicit Zpost(bool spans) : spans_(spans) {}

  [[nodiscard]] std::string_view name() const override {
    return spans_ ? "zpost-spans" : "zpost-singles";
  }

  [[nodiscard]] std::string_view description() const override {
    return spans_
               ? "zpost-broker, zpost::peer, the program sends spans; acks and credit on"
               : "zpost-broker, zpost::peer, the program sends one at a time; acks and credit on";
  }

  [[nodiscard]] std::optional<std::string> unavailable() const override {
    return missing_program("zpost-broker");
  }

  [[nodiscard]] bool measures(Measure measure) const override {
    return measure == Measure::kThroughput || !spans_;
  }

  [[nodiscard]] Server start() const override { return launch_zpost_broker({}); }

  void send(const Part& part, Gate& gate, PayloadSource& source) const override {
    peer::Peer peer = connect(part, fmt::format("sender-{}", part.pair));
    gate.wait_for_start();
    if (spans_) {
      send_spans(peer, receiver_name(part), source);
    } else {
      send_singles(peer, receiver_name(part), source);
    }
    demand(peer.wait_settled(seconds(60)), "not everything was settled");
    demand(peer.statistics().failed == 0, "some envelopes were not delivered");
    peer.close(seconds(1));
  }

  void receive(const Part& part, Gate& gate, PayloadSink& sink) const override {
    peer::Peer peer = connect(part, receiver_name(part));
    gate.ready();
    peer::Batch batch;
    while (!sink.complete()) {
      if (!peer.receive_batch(batch, seconds(1))) continue;
      for (const EnvelopeView& envelope : batch.envelopes()) sink.accept(envelope.body);
    }
    peer.close(seconds(1));
  }

  void ping(const Part& part, Gate& gate, RoundTrips& trips) const override {
    peer::Peer peer = connect(part, "pinger");
    gate.wait_for_start();
    for (auto payload = trips.begin(); !payload.empty(); payload = trips.begin()) {
      demand(static_cast<bool>(peer.send("echoer", payload)), "send failed");
      peer::Batch batch;
      demand(peer.receive_batch(batch, seconds(10), 1), "no echo within 10 s");
      trips.end(batch.envelopes().front().body);
    }
  }

  void echo(const Part& part, Gate& gate) const override {
    peer::Peer peer = connect(part, "echoer");
    gate.ready();
    peer::Batch batch;
    while (true) {
      if (!peer.receive_batch(batch, seconds(60))) continue;
      for (const EnvelopeView& envelope : batch.envelopes()) {
        demand(static_cast<bool>(peer.send("pinger", envelope.body)), "echo failed");
      }
    }
  }

 private:
  static void send_singles(peer::Peer& peer, const std::string& to, PayloadSource& source) {
    std::vector<std::byte> payload(source.payload_bytes());
    while (source.next(payload)) {
      const auto sent = peer.send(to, payload);
      if (!sent) throw std::runtime_error(sent.error().text);
    }
  }

  static void send_spans(peer::Peer& peer, const std::string& to, PayloadSource& source) {
    const std::size_t size = source.payload_bytes();
    std::vector<std::byte> buffer(std::max<std::size_t>(1, kSpanBytes / size) * size);
    std::vector<Bytes> bodies;
    for (std::size_t at = 0; at < buffer.size(); at += size) {
      bodies.emplace_back(buffer.data() + at, size);
    }
    while (const std::size_t count = source.fill(buffer)) {
      const auto sent = peer.send(to, std::span(bodies).first(count));
      if (!sent) throw std::runtime_error(sent.error().text);
      demand(sent->count == count, "a span was sent in part");
    }
  }

  bool spans_;
};

}  // namespace

std::unique_ptr<System> make_zpost_spans() {
  return std::make_unique<Zpost>(true);
}

std::unique_ptr<System> make_zpost_singles() {
  return std::make_unique<Zpost>(false);
}

}  // namespace zpost::bench
