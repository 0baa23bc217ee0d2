#include "tools/bench/systems/zpost_clients.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <span>
#include <stdexcept>
#include <vector>

#include "tools/bench/systems/id_ledger.h"
#include "zpost/peer/memory.h"

namespace zpost::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A span holds about this many bytes, and at least one payload.
constexpr std::size_t kSpanBytes = std::size_t{128} * 1024;
constexpr milliseconds kHeldPoll{20};

std::string zpost_sender(std::uint32_t pair) {
  return fmt::format("sender-{}", pair);
}

void send_singles(peer::Peer& peer, const std::string& to, PayloadSource& source) {
  std::vector<std::byte> payload(source.payload_bytes());
  while (source.next(payload)) {
    const auto sent = peer.send(to, payload);
    if (!sent) throw std::runtime_error(sent.error().text);
  }
}

void send_spans(peer::Peer& peer, const std::string& to, PayloadSource& source) {
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

class ZpostRingPeer final : public RingPeer {
 public:
  ZpostRingPeer(const RingSeat& seat, PayloadSink& sink)
      : next_(name_of(seat.next())),
        sink_(sink),
        peer_(connect_zpost(name_of(seat.number), seat.port)) {}

  void send(std::span<const std::byte> payload) override {
    const auto sent = peer_.send(next_, payload);
    if (!sent) throw std::runtime_error(sent.error().text);
  }

  void receive() override {
    peer::Batch batch;
    demand(peer_.receive_batch(batch, milliseconds(kRingPatienceMilliseconds)),
           "nothing arrived in time");
    for (const EnvelopeView& envelope : batch.envelopes()) sink_.accept(envelope.body);
  }

  // The library's thread answers the broker.
  void attend() override { peer_.take(); }

 private:
  static std::string name_of(std::uint32_t number) { return fmt::format("peer-{}", number); }

  std::string next_;
  PayloadSink& sink_;
  peer::Peer peer_;
};

}  // namespace

peer::Peer connect_zpost(const std::string& name, std::uint16_t port) {
  peer::keep_free_memory();
  peer::Options options;
  options.endpoint = fmt::format("tcp://127.0.0.1:{}", port);
  options.name = name;
  options.connect_timeout = seconds(10);
  auto connected = peer::Peer::connect(std::move(options));
  if (!connected) throw std::runtime_error(connected.error().text);
  return std::move(*connected);
}

void demand(bool condition, const std::string& why) {
  if (!condition) throw std::runtime_error(why);
}

std::string zpost_receiver(std::uint32_t pair) {
  return fmt::format("receiver-{}", pair);
}

void send_all(peer::Peer& peer, const std::string& to, Handover handover, PayloadSource& source) {
  if (handover == Handover::kSpans) {
    send_spans(peer, to, source);
  } else {
    send_singles(peer, to, source);
  }
}

std::unique_ptr<RingPeer> join_zpost(const RingSeat& seat, PayloadSink& sink) {
  return std::make_unique<ZpostRingPeer>(seat, sink);
}

void send_told_by_zpost(const Part& part, Handover handover, Gate& gate, PayloadSource& source,
                        ToldCounts& told) {
  IdLedger ledger(told);  // Outlives the peer, which tells it outcomes.
  peer::Peer peer = connect_zpost(zpost_sender(part.pair), part.port);
  ledger.begin(peer.welcome().first_id);
  peer.on_outcome(
      [&](const peer::OutcomeReport& report) { ledger.settle(report.id, report.outcome); });
  gate.wait_for_start();
  send_all(peer, zpost_receiver(part.pair), handover, source);
  peer.wait_settled(peer::kForever);  // The parent's patience ends sooner.
  peer.close(seconds(1));
}

void receive_told_by_zpost(const Part& part, Gate& gate, PayloadSink& sink, ToldCounts& told) {
  peer::Peer peer = connect_zpost(zpost_receiver(part.pair), part.port);
  peer.on_state([&](const peer::StateChange& change) {
    told.taken_in_vain.fetch_add(change.taken_but_unacknowledged);
  });
  gate.ready();
  peer::Batch batch;
  while (!sink.complete()) {
    if (!peer.receive_batch(batch, seconds(1))) continue;
    for (const EnvelopeView& envelope : batch.envelopes()) sink.accept(envelope.body);
  }
  peer.close(seconds(1));
}

void send_mixed_by_zpost(const Part& part, Gate& gate, MixedSources sources,
                         std::atomic<std::uint64_t>& held) {
  peer::Peer peer = connect_zpost(zpost_sender(part.pair), part.port);
  const std::string to_small = zpost_receiver(0);
  const std::string to_large = zpost_receiver(part.pair);
  std::vector<std::byte> small(sources.small.payload_bytes());
  std::vector<std::byte> large(sources.large.payload_bytes());
  gate.wait_for_start();
  bool has_small = sources.small.next(small);
  while (sources.large.next(large)) {
    if (has_small) {
      const auto sent = peer.try_send(to_small, small);
      demand(sent || sent.error().fault == peer::Fault::kWouldBlock, "sending failed");
      if (sent) has_small = sources.small.next(small);
    }
    demand(static_cast<bool>(peer.send(to_large, large)), "sending failed");
  }
  while (true) {
    held.store(peer.statistics().unsettled);
    pause_for(kHeldPoll);
  }
}

}  // namespace zpost::bench
