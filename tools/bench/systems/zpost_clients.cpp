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

/// Hands payloads to the library: one a call, or a span of as many as there are.
class PayloadHand {
 public:
  PayloadHand(Handover handover, std::size_t payload_bytes) : handover_(handover) {
    const std::size_t count =
        handover == Handover::kSingles ? 1 : std::max<std::size_t>(1, kSpanBytes / payload_bytes);
    buffer_.resize(count * payload_bytes);
    for (std::size_t at = 0; at < buffer_.size(); at += payload_bytes) {
      bodies_.emplace_back(buffer_.data() + at, payload_bytes);
    }
  }

  /// Sends what one call takes. False: `source` has no more.
  bool send(peer::Peer& peer, const std::string& to, PayloadSource& source) {
    return handover_ == Handover::kSingles ? send_one(peer, to, source)
                                           : send_span(peer, to, source);
  }

 private:
  bool send_one(peer::Peer& peer, const std::string& to, PayloadSource& source) {
    if (!source.next(buffer_)) return false;
    const auto sent = peer.send(to, buffer_);
    if (!sent) throw std::runtime_error(sent.error().text);
    return true;
  }

  bool send_span(peer::Peer& peer, const std::string& to, PayloadSource& source) {
    const std::size_t count = source.fill(buffer_);
    if (count == 0) return false;
    const auto sent = peer.send(to, std::span(bodies_).first(count));
    if (!sent) throw std::runtime_error(sent.error().text);
    demand(sent->count == count, "a span was sent in part");
    return true;
  }

  Handover handover_;
  std::vector<std::byte> buffer_;
  std::vector<Bytes> bodies_;  // In the buffer.
};

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
  PayloadHand hand(handover, source.payload_bytes());
  while (hand.send(peer, to, source)) {
  }
}

void end_sending(peer::Peer& peer) {
  demand(peer.wait_settled(seconds(60)), "not everything was settled");
  demand(peer.statistics().failed == 0, "some envelopes were not delivered");
  peer.close(seconds(1));
}

void flood_by_zpost(const Part& part, Handover handover, Gate& gate,
                    std::span<PayloadSource> sources) {
  peer::Peer peer = connect_zpost("flooder", part.port);
  PayloadHand hand(handover, part.payload_bytes);
  std::vector<std::string> receivers;
  for (std::uint32_t to = 0; to < sources.size(); ++to) receivers.push_back(zpost_receiver(to));
  gate.wait_for_start();
  for (bool any = true; any;) {
    any = false;
    for (std::size_t to = 0; to < sources.size(); ++to) {
      any = hand.send(peer, receivers[to], sources[to]) || any;
    }
  }
  end_sending(peer);
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
