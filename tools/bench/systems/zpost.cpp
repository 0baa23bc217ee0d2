// zpost with its own client library. Senders hand over one payload a call, or a span of many.
#include <fmt/core.h>

#include <chrono>

#include "tools/bench/systems/systems.h"
#include "tools/bench/systems/zpost_clients.h"
#include "tools/bench/systems/zpost_server.h"
#include "zpost/peer/peer.h"

namespace zpost::bench {
namespace {

using std::chrono::seconds;

class Zpost final : public System {
 public:
  explicit Zpost(Handover handover) : handover_(handover) {}

  [[nodiscard]] std::string_view name() const override {
    return spans() ? "zpost-spans" : "zpost-singles";
  }

  [[nodiscard]] std::string_view description() const override {
    return spans()
               ? "zpost-broker, zpost::peer, the program sends spans; acks and credit on"
               : "zpost-broker, zpost::peer, the program sends one at a time; acks and credit on";
  }

  [[nodiscard]] std::optional<std::string> unavailable() const override {
    return missing_program("zpost-broker");
  }

  [[nodiscard]] bool measures(Measure measure) const override {
    const bool one_by_one =
        measure == Measure::kLatency || measure == Measure::kTopics || measure == Measure::kCalls;
    return !one_by_one || !spans();
  }

  // libzmq's two threads and the library's own; eventfds and epolls of both, and the connection.
  [[nodiscard]] ClientCost client_cost() const override {
    return {.threads = 3, .files = 12, .kibibytes = 300};
  }

  [[nodiscard]] ClientCost ring_peer_cost() const override { return client_cost(); }

  [[nodiscard]] Server start() const override { return launch_zpost_broker({}); }

  [[nodiscard]] Server start_within(const Limits& limits) const override {
    return launch_zpost_broker(arguments_for(limits));
  }

  [[nodiscard]] bool limits_memory() const override { return true; }

  [[nodiscard]] bool tells_outcomes() const override { return true; }

  void send(const Part& part, Gate& gate, PayloadSource& source) const override {
    peer::Peer peer = connect_zpost(fmt::format("sender-{}", part.pair), part.port);
    gate.wait_for_start();
    send_all(peer, zpost_receiver(part.pair), handover_, source);
    end_sending(peer);
  }

  void receive(const Part& part, Gate& gate, PayloadSink& sink) const override {
    peer::Peer peer = connect_zpost(zpost_receiver(part.pair), part.port);
    gate.ready();
    peer::Batch batch;
    while (!sink.complete()) {
      if (!peer.receive_batch(batch, kReceiveWait)) continue;
      for (const EnvelopeView& envelope : batch.envelopes()) sink.accept(envelope.body);
    }
    peer.close(seconds(1));
  }

  void flood(const Part& part, Gate& gate, std::span<PayloadSource> sources) const override {
    flood_by_zpost(part, handover_, gate, sources);
  }

  void publish(const Part& part, Gate& gate, PayloadSource& source) const override {
    publish_by_zpost(part, gate, source);
  }

  void subscribe(const Part& part, Gate& gate, PayloadSink& sink) const override {
    subscribe_by_zpost(part, gate, sink);
  }

  void work(const Part& part, Gate& gate) const override { work_by_zpost(part, gate); }

  void call(const Part& part, Gate& gate, PayloadSource& source, PayloadSink& sink) const override {
    call_by_zpost(part, gate, source, sink);
  }

  void ping(const Part& part, Gate& gate, RoundTrips& trips) const override {
    peer::Peer peer = connect_zpost(fmt::format("pinger-{}", part.pair), part.port);
    const std::string to = fmt::format("echoer-{}", part.pair);
    gate.wait_for_start();
    for (auto payload = trips.begin(); !payload.empty(); payload = trips.begin()) {
      demand(static_cast<bool>(peer.send(to, payload)), "send failed");
      peer::Batch batch;
      demand(peer.receive_batch(batch, seconds(10), 1), "no echo within 10 s");
      trips.end(batch.envelopes().front().body);
    }
  }

  void echo(const Part& part, Gate& gate) const override {
    peer::Peer peer = connect_zpost(fmt::format("echoer-{}", part.pair), part.port);
    const std::string to = fmt::format("pinger-{}", part.pair);
    gate.ready();
    peer::Batch batch;
    while (true) {
      if (!peer.receive_batch(batch, kReceiveWait)) continue;
      for (const EnvelopeView& envelope : batch.envelopes()) {
        demand(static_cast<bool>(peer.send(to, envelope.body)), "echo failed");
      }
    }
  }

  [[nodiscard]] std::unique_ptr<RingPeer> join(const RingSeat& seat,
                                               PayloadSink& sink) const override {
    return join_zpost(seat, sink);
  }

  void send_told(const Part& part, Gate& gate, PayloadSource& source,
                 ToldCounts& told) const override {
    send_told_by_zpost(part, handover_, gate, source, told);
  }

  void receive_told(const Part& part, Gate& gate, PayloadSink& sink,
                    ToldCounts& told) const override {
    receive_told_by_zpost(part, gate, sink, told);
  }

  void send_mixed(const Part& part, Gate& gate, MixedSources sources,
                  std::atomic<std::uint64_t>& held) const override {
    send_mixed_by_zpost(part, gate, sources, held);
  }

 private:
  [[nodiscard]] bool spans() const { return handover_ == Handover::kSpans; }

  Handover handover_;
};

}  // namespace

std::unique_ptr<System> make_zpost_spans() {
  return std::make_unique<Zpost>(Handover::kSpans);
}

std::unique_ptr<System> make_zpost_singles() {
  return std::make_unique<Zpost>(Handover::kSingles);
}

}  // namespace zpost::bench
